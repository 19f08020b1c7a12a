//! Sends a reply: own bytes and kept records in vectored writes, segment files straight from the page cache.

use std::fs::File;
use std::io::{self, IoSlice};

use bytes::Buf;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::reply::Part;

/// Slices given to one vectored write.
const SLICES_MAX: usize = 64;

/// Sends all parts, in order.
pub(crate) async fn parts(socket: &mut TcpStream, parts: Vec<Part>) -> io::Result<()> {
    let mut pending = Vec::with_capacity(parts.len().min(SLICES_MAX));
    for part in parts {
        match part {
            Part::Bytes(bytes) => {
                pending.push(bytes);
                if pending.len() == SLICES_MAX {
                    write_all(socket, &mut pending).await?;
                }
            }
            Part::File { file, position, len } => {
                write_all(socket, &mut pending).await?;
                send_file(socket, &file, position, len).await?;
            }
        }
    }
    write_all(socket, &mut pending).await
}

async fn write_all(socket: &mut TcpStream, pending: &mut Vec<bytes::Bytes>) -> io::Result<()> {
    let mut done = 0;
    while done < pending.len() {
        let slices: Vec<IoSlice<'_>> = pending.iter().skip(done).map(|bytes| IoSlice::new(bytes)).collect();
        let mut written = socket.write_vectored(&slices).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        for bytes in pending.iter_mut().skip(done) {
            let taken = written.min(bytes.len());
            bytes.advance(taken);
            written -= taken;
            if bytes.has_remaining() {
                break;
            }
            done += 1;
        }
    }
    pending.clear();
    Ok(())
}

/// Sends a stretch of a file without taking it through user space.
#[cfg(target_os = "linux")]
async fn send_file(socket: &mut TcpStream, file: &File, position: u64, len: usize) -> io::Result<()> {
    let end = position + len as u64;
    let mut position = position;
    while position < end {
        let sent = socket
            .async_io(tokio::io::Interest::WRITABLE, || {
                let left = (end - position) as usize;
                Ok(rustix::fs::sendfile(&*socket, file, Some(&mut position), left)?)
            })
            .await?;
        if sent == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Sends a stretch of a file through a buffer.
#[cfg(not(target_os = "linux"))]
async fn send_file(socket: &mut TcpStream, file: &File, position: u64, len: usize) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let mut buffer = vec![0; len.min(256 * 1024)];
    let mut done = 0;
    while done < len {
        let chunk = buffer.len().min(len - done);
        file.read_exact_at(&mut buffer[..chunk], position + done as u64)?;
        socket.write_all(&buffer[..chunk]).await?;
        done += chunk;
    }
    Ok(())
}
