//! One file per API. A handler takes the decoded request and returns the response; it never sees a socket.

pub(crate) mod api_versions;
pub(crate) mod fetch;
mod fetch_response;
pub(crate) mod fetch_session;
pub(crate) mod produce;
