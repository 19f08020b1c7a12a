//! One process owns a data folder: `.lock` is locked (flock) and holds the owner's pid.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::OpenError;

/// The lock; released when dropped, or by the kernel when the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of `data_dir`, or says who has it.
    pub(crate) fn take(data_dir: &Path) -> Result<Self, OpenError> {
        let path = data_dir.join(".lock");
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(OpenError::io(&path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok()).unwrap_or(0);
                return Err(OpenError::Locked { path: data_dir.to_owned(), pid });
            }
            Err(error) => return Err(OpenError::io(path)(error.into())),
        }
        let write =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        write.map_err(OpenError::io(path))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    /// Closing the file alone would leave the lock to a child process that is being started and has a copy of it yet.
    fn drop(&mut self) {
        // The kernel releases it in any case when the last copy is closed.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let error = Lock::take(folder.path()).unwrap_err();
        assert!(matches!(error, OpenError::Locked { pid, .. } if pid == std::process::id()));
        drop(first);
        Lock::take(folder.path()).unwrap();
    }

    #[test]
    fn a_copy_of_the_file_in_another_process_does_not_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        // As a child process has one between fork and exec.
        let copy = first.file.try_clone().unwrap();
        drop(first);
        Lock::take(folder.path()).unwrap();
        drop(copy);
    }
}
