//! One client: frames in, replies out in order, one request at a time.
//!
//! One at a time is Kafka's own rule (a channel is muted while its request is served); what a client sends
//! meanwhile waits in the socket's buffer, so nothing queues up in the process.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::api::api_versions;
use crate::dispatch::{self, Refused};
use crate::frame::{Frame, FrameError, FrameReader};
use crate::guard::{GuardError, parse_header};
use crate::reply::{self, Body, Part, Reply};
use crate::send;
use crate::shared::{Call, Shared};

/// Why a connection ends, other than by its client's will.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("a request's header is malformed: {0}")]
    Header(#[from] GuardError),
    #[error("the reply could not be sent: {0}")]
    Send(std::io::Error),
}

/// Serves one client until it closes, sends what cannot be answered, or the broker stops.
pub(crate) async fn serve(shared: Arc<Shared>, mut socket: TcpStream, peer: SocketAddr) -> Result<(), ConnectionError> {
    let mut frames = FrameReader::new(shared.config.limits.frame_bytes_max, shared.frame_budget.clone());
    let client_host = peer.ip().to_string();
    loop {
        let frame = tokio::select! {
            biased;
            frame = frames.next(&mut socket) => frame?,
            () = shared.shutdown.cancelled() => return Ok(()),
        };
        let Some(frame) = frame else { return Ok(()) };
        let Some(answer) = answer(&shared, &mut socket, frame, &client_host).await? else { return Ok(()) };
        if let Some(parts) = answer.parts {
            send::parts(&mut socket, parts).await.map_err(ConnectionError::Send)?;
        }
        if let Some(until) = answer.muted_until {
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = shared.shutdown.cancelled() => return Ok(()),
                () = closed(&socket) => return Ok(()),
            }
        }
    }
}

/// What one request leads to.
struct Answer {
    /// `None` sends nothing.
    parts: Option<Vec<Part>>,
    /// Nothing more is read before.
    muted_until: Option<Instant>,
}

/// Has one request handled. `None` ends the connection.
async fn answer(
    shared: &Shared,
    socket: &mut TcpStream,
    frame: Frame,
    client_host: &str,
) -> Result<Option<Answer>, ConnectionError> {
    let mut body = frame.bytes.clone();
    let header = parse_header(&mut body)?;
    let api = match dispatch::find(header.api_key, header.api_version) {
        Ok(api) => api,
        Err(_) if header.api_key == api_versions::KEY => {
            let reply = reply::encode(&api_versions::unsupported_version(), 0);
            return Ok(framed(reply, header.correlation_id, false, api_versions::KEY)?);
        }
        Err(refused) => return Err(refused.into()),
    };
    let version = header.api_version;
    let call = Call {
        version,
        client_id: header.client_id,
        client_host: client_host.to_owned(),
        request_len: frame.bytes.len(),
    };
    let handled = tokio::select! {
        biased;
        handled = dispatch::dispatch(shared, api, &call, body) => handled?,
        () = closed(socket) => return Ok(None),
    };
    let flexible = (api.response_header)(version) >= 1;
    Ok(framed(Ok(handled), header.correlation_id, flexible, api.key)?)
}

/// Puts length and response header before a body.
fn framed(
    reply: Result<Reply, anyhow::Error>,
    correlation_id: i32,
    flexible: bool,
    key: i16,
) -> Result<Option<Answer>, Refused> {
    let encode = |reason: anyhow::Error| Refused::Encode { key, version: 0, reason: reason.to_string() };
    Ok(match reply.map_err(encode)? {
        Reply::Body(body) => {
            Some(Answer { parts: Some(with_header(body, correlation_id, flexible)), muted_until: None })
        }
        Reply::Nothing => Some(Answer { parts: None, muted_until: None }),
        Reply::Close => None,
        Reply::Muted(reply, until) => framed(Ok(*reply), correlation_id, flexible, key)?
            .map(|answer| Answer { muted_until: Some(until), ..answer }),
    })
}

fn with_header(body: Body, correlation_id: i32, flexible: bool) -> Vec<Part> {
    let length = 4 + usize::from(flexible) + body.len();
    let mut parts = body.into_parts();
    let mut head = BytesMut::with_capacity(9);
    head.put_i32(length as i32);
    head.put_i32(correlation_id);
    if flexible {
        head.put_u8(0);
    }
    parts.insert(0, Part::Bytes(head.freeze()));
    parts
}

/// Ends when the client has closed its side while its request is parked; never, if it has sent more instead.
async fn closed(socket: &TcpStream) {
    let mut byte = [0];
    match socket.peek(&mut byte).await {
        Ok(0) | Err(_) => {}
        Ok(_) => std::future::pending().await,
    }
}
