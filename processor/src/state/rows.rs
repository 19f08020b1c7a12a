//! What the rows of a changelog have in common.

use super::TooManyGroups;
use crate::codec::{Malformed, Reader};

/// Stands behind the key of a row: what it tells of is gone.
pub(super) const REMOVED_ROW: u64 = 0;
/// Stands behind the key of a row: its values follow.
pub(super) const PRESENT: u64 = 1;

/// Why a row cannot be restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    TooManyGroups(#[from] TooManyGroups),
}

/// True for a row of something that is gone.
pub(super) fn take_mark(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.u64()? {
        REMOVED_ROW => Ok(true),
        PRESENT => Ok(false),
        mark => Err(Malformed::new(format!("a row has the mark {mark}"))),
    }
}
