//! ApiVersions (KIP-35, KIP-482): what is served, made from the dispatch table.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::features::{FEATURES, Feature};
use crate::dispatch::{Api, TABLE};
use crate::shared::{Call, Shared};

/// Answers with the whole table; INVALID_REQUEST for a client name or version outside KIP-511's alphabet.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: ApiVersionsRequest) -> ApiVersionsResponse {
    let named = is_valid_name(&request.client_software_name) && is_valid_name(&request.client_software_version);
    if call.version >= 3 && !named {
        return ApiVersionsResponse::default().with_error_code(ResponseError::InvalidRequest.code());
    }
    let contents = shared.cluster.contents();
    let supported = FEATURES.iter().filter(|feature| call.version >= FROM_ZERO_SINCE || feature.min > 0);
    let finalized = FEATURES.iter().map(|feature| (feature, contents.features.level(feature)));
    ApiVersionsResponse::default()
        .with_api_keys(TABLE.iter().map(version_range).collect())
        .with_supported_features(supported.map(supported_feature).collect())
        .with_finalized_features_epoch(contents.features.epoch())
        .with_finalized_features(finalized.filter(|(_, level)| *level > 0).map(finalized_feature).collect())
}

fn supported_feature(feature: &Feature) -> SupportedFeatureKey {
    SupportedFeatureKey::default()
        .with_name(StrBytes::from_static_str(feature.name))
        .with_min_version(feature.min)
        .with_max_version(feature.max)
}

fn finalized_feature((feature, level): (&Feature, i16)) -> FinalizedFeatureKey {
    FinalizedFeatureKey::default()
        .with_name(StrBytes::from_static_str(feature.name))
        .with_min_version_level(level)
        .with_max_version_level(level)
}

/// The answer to a version of ApiVersions that is not known, encoded in version 0 (KIP-511): error 35 and the
/// versions of ApiVersions that are.
pub(crate) fn unsupported_version() -> ApiVersionsResponse {
    let own = TABLE.iter().filter(|api| api.key == KEY).map(version_range).collect();
    ApiVersionsResponse::default().with_error_code(ResponseError::UnsupportedVersion.code()).with_api_keys(own)
}

/// The first version whose clients bear features with levels from 0 on (KAFKA-17492).
const FROM_ZERO_SINCE: i16 = 4;

/// ApiVersions' own key.
pub(crate) const KEY: i16 = 18;

fn version_range(api: &Api) -> ApiVersion {
    ApiVersion::default().with_api_key(api.key).with_min_version(api.advertised_min).with_max_version(api.max)
}

/// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`, as `ApiVersionsRequest.isValid` has it.
fn is_valid_name(name: &StrBytes) -> bool {
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let bytes = name.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) => {
            first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() && bytes.iter().all(inner)
        }
        _ => false,
    }
}
