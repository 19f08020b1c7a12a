//! UpdateFeatures (`QuorumController.updateFeatures`, KIP-584): all levels change, or none.

use kafka_protocol::messages::update_features_response::UpdatableFeatureResult;
use kafka_protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use kafka_protocol::protocol::StrBytes;

use crate::cluster::features::Wish;
use crate::error::ApiError;
use crate::shared::{Call, Shared};

/// The last version that tells of each feature.
const RESULTS_MAX: i16 = 1;

/// As in Kafka, version 0 cannot have a level lowered: what it says of that is not looked at.
pub(crate) async fn handle(shared: &Shared, call: &Call, request: UpdateFeaturesRequest) -> UpdateFeaturesResponse {
    let wish = |it: &kafka_protocol::messages::update_features_request::FeatureUpdateKey| Wish {
        feature: it.feature.to_string(),
        level: it.max_version_level,
        way: it.upgrade_type,
    };
    let wishes: Vec<_> = request.feature_updates.iter().map(wish).collect();
    let updated = shared.cluster.change(request.validate_only, |contents| contents.features.update(&wishes)).await;
    let updated = updated.unwrap_or_else(|error| {
        tracing::error!(%error, "levels of features were not kept");
        Err(ApiError::from(error))
    });
    let response = UpdateFeaturesResponse::default();
    match updated {
        Ok(()) if call.version <= RESULTS_MAX => {
            response.with_error_message(None).with_results(request.feature_updates.into_iter().map(done).collect())
        }
        Ok(()) => response.with_error_message(None),
        Err(error) => {
            let why = error.clone().message().unwrap_or_default();
            let message = format!(
                "The update failed for all features since the following feature had an error: {}",
                why.as_str()
            );
            response.with_error_code(error.code()).with_error_message(Some(StrBytes::from_string(message)))
        }
    }
}

/// Kafka's own word for no error.
fn done(update: kafka_protocol::messages::update_features_request::FeatureUpdateKey) -> UpdatableFeatureResult {
    UpdatableFeatureResult::default()
        .with_feature(update.feature)
        .with_error_message(Some(StrBytes::from_static_str("NONE")))
}
