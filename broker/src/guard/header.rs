//! The header of a request, which the crate's own decoder panics on when it is cut short.

use bytes::{Buf, Bytes};
use kafka_protocol::protocol::StrBytes;

use super::{GuardError, schema, walk};

/// The header of a request, of either version (`RequestHeader.json`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// Which API.
    pub api_key: i16,
    /// Which version of it.
    pub api_version: i16,
    /// What the response must carry.
    pub correlation_id: i32,
    /// What the client calls itself. `None` too if the API or its version is unknown.
    pub client_id: Option<StrBytes>,
}

/// Takes the header off the front of a frame.
///
/// Of an API, or a version of it, that [`check`](super::check) does not know, only key, version and correlation id are
/// taken, since the rest cannot be told apart: enough to answer an unknown version of ApiVersions.
pub fn parse_header(frame: &mut Bytes) -> Result<RequestHeader, GuardError> {
    if frame.len() < 8 {
        return Err(GuardError::Short { need: 8, have: frame.len() });
    }
    let (api_key, api_version, correlation_id) = (frame.get_i16(), frame.get_i16(), frame.get_i32());
    let client_id = match schema(api_key, api_version) {
        None => None,
        Some(schema) => {
            // Never compact, not even in a flexible header.
            let client_id = client_id(frame)?;
            if api_version >= schema.flexible {
                let tagged = frame.len() - walk::tagged_fields(frame)?.len();
                frame.advance(tagged);
            }
            client_id
        }
    };
    Ok(RequestHeader { api_key, api_version, correlation_id, client_id })
}

fn client_id(frame: &mut Bytes) -> Result<Option<StrBytes>, GuardError> {
    if frame.len() < 2 {
        return Err(GuardError::Short { need: 2, have: frame.len() });
    }
    let written = frame.get_i16();
    if written == -1 {
        return Ok(None);
    }
    let length = usize::try_from(written).map_err(|_| GuardError::Negative(i32::from(written)))?;
    if length > frame.len() {
        return Err(GuardError::Short { need: length, have: frame.len() });
    }
    StrBytes::from_utf8(frame.split_to(length)).map(Some).map_err(|_| GuardError::ClientId)
}
