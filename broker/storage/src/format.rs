//! The file that says what a data folder is: `meta.properties`, as Kafka calls its own.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::catalogue::CATALOGUE_NAME;
use crate::sled_index::SLED_FOLDER;
use crate::{Engine, OpenError};

/// The layout that this brooklet writes and reads.
const FORMAT_VERSION: u32 = 1;
const FILE_NAME: &str = "meta.properties";

/// What a data folder says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) cluster_id: String,
    /// Made just now.
    pub(crate) is_new: bool,
}

impl Format {
    pub(crate) fn fresh() -> Self {
        // As Kafka's, it does not begin with a dash, which a command line takes for an option.
        loop {
            let cluster_id = base64_url(Uuid::new_v4());
            if !cluster_id.starts_with('-') {
                return Self { cluster_id, is_new: true };
            }
        }
    }

    /// Reads the file in `data_dir`, or makes it; refuses what another version or engine made.
    pub(crate) fn open(data_dir: &Path, engine: Engine, sync: bool) -> Result<Self, OpenError> {
        let path = data_dir.join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if let Some(path) = somebody_elses(data_dir).map_err(OpenError::io(data_dir))? {
                    return Err(OpenError::Foreign { path });
                }
                String::new()
            }
            Err(error) => return Err(OpenError::io(path)(error)),
        };
        // Empty: made moments before the power went, by one that does not wait for the disk.
        if text.is_empty() {
            let format = Self::fresh();
            format.write(data_dir, engine, sync).map_err(OpenError::io(path))?;
            return Ok(format);
        }
        let value = |name: &str| value(&text, name).unwrap_or_default().to_owned();
        let version = value("format.version");
        if version.is_empty() {
            return Err(OpenError::Foreign { path });
        }
        if version != FORMAT_VERSION.to_string() {
            return Err(OpenError::UnknownFormat { path, version, known: FORMAT_VERSION });
        }
        let existing = value("storage");
        if existing != engine.to_string() {
            return Err(OpenError::OtherEngine { path: data_dir.to_owned(), existing, wanted: engine.to_string() });
        }
        Ok(Self { cluster_id: value("cluster.id"), is_new: false })
    }

    fn write(&self, data_dir: &Path, engine: Engine, sync: bool) -> std::io::Result<()> {
        let text = format!(
            "# brooklet's data; do not edit\nformat.version={FORMAT_VERSION}\nstorage={engine}\ncluster.id={}\n",
            self.cluster_id
        );
        // In one step, so that a crash leaves no half of it.
        let temporary = data_dir.join(format!("{FILE_NAME}.tmp"));
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        if sync {
            file.sync_all()?;
        }
        fs::rename(&temporary, data_dir.join(FILE_NAME))
    }
}

/// What stands in a folder that nothing of ours is in, but for hidden files and what a fresh disk has: a home folder
/// given by mistake is not to be filled with logs, nor cleared of what looks like a leftover.
fn somebody_elses(data_dir: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut found = None;
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // The file that says what the folder is can be lost with the power, where nobody waits for the disk.
        if name.starts_with(CATALOGUE_NAME) || name == SLED_FOLDER {
            return Ok(None);
        }
        if !name.starts_with('.') && name != "lost+found" && !name.starts_with(FILE_NAME) {
            found = Some(entry.path());
        }
    }
    Ok(found)
}

impl Engine {
    /// The engine that made the data folder; `None` if the folder is not brooklet's.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn of_folder(data_dir: &Path) -> Result<Option<Self>, OpenError> {
        let path = data_dir.join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(value(&text, "storage").and_then(|engine| engine.parse().ok())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(OpenError::io(path)(error)),
        }
    }
}

fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value.trim())
}

/// The 22 characters in which Kafka writes a uuid (`org.apache.kafka.common.Uuid.toString`).
pub(crate) fn base64_url(id: Uuid) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = id.as_u128();
    // 21 characters of 6 bits, and one of the last 2.
    let sixes = (0..21).map(|index| (bits >> (122 - 6 * index)) as usize & 63);
    let last = (bits as usize & 3) << 4;
    sixes.chain([last]).filter_map(|six| ALPHABET.get(six)).map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_kafka_writes_them() {
        // Kafka's own example: Uuid.METADATA_TOPIC_ID and Uuid.ONE_UUID.
        assert_eq!(base64_url(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(base64_url(Uuid::from_u128(u128::MAX)), "_____________________w");
        assert_eq!(base64_url(Uuid::from_u128(0xfb << 120)), "-wAAAAAAAAAAAAAAAAAAAA");
    }

    #[test]
    fn the_cluster_id_stays() {
        let folder = tempfile::tempdir().unwrap();
        let first = Format::open(folder.path(), Engine::Segments, true).unwrap();
        assert_eq!((first.cluster_id.len(), first.is_new), (22, true));
        let again = Format::open(folder.path(), Engine::Segments, true).unwrap();
        assert_eq!((again.cluster_id, again.is_new), (first.cluster_id, false));
        assert_eq!(Engine::of_folder(folder.path()).unwrap(), Some(Engine::Segments));
        assert_eq!(Engine::of_folder(&folder.path().join("elsewhere")).unwrap(), None);
    }

    #[test]
    fn another_version_or_engine_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        Format::open(folder.path(), Engine::Segments, true).unwrap();
        let error = Format::open(folder.path(), Engine::Sled, true).unwrap_err();
        assert!(matches!(error, OpenError::OtherEngine { .. }));
        let path = folder.path().join(FILE_NAME);
        let later = fs::read_to_string(&path).unwrap().replace("format.version=1", "format.version=2");
        fs::write(&path, later).unwrap();
        let error = Format::open(folder.path(), Engine::Segments, true).unwrap_err();
        assert!(matches!(error, OpenError::UnknownFormat { version, known: 1, .. } if version == "2"));
    }

    #[test]
    fn a_folder_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Format::open(folder.path(), Engine::Segments, true);
        fs::create_dir(folder.path().join("lost+found")).unwrap();
        fs::write(folder.path().join(".lock"), "1").unwrap();
        fs::write(folder.path().join("letter.txt"), "Dear").unwrap();
        let refused = open().unwrap_err();
        assert!(refused.to_string().ends_with("letter.txt is not brooklet's; take another folder"), "{refused}");
        assert!(!folder.path().join(FILE_NAME).exists());
        // Ours, without the file that says so.
        fs::create_dir(folder.path().join(SLED_FOLDER)).unwrap();
        assert!(open().unwrap().is_new);
        assert!(!open().unwrap().is_new);
    }

    #[test]
    fn an_empty_folder_may_have_what_a_disk_has() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("lost+found")).unwrap();
        fs::write(folder.path().join(".lock"), "1").unwrap();
        assert!(Format::open(folder.path(), Engine::Segments, true).unwrap().is_new);
    }

    #[test]
    fn a_folder_of_kafka_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), "version=1\nnode.id=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\n").unwrap();
        let error = Format::open(folder.path(), Engine::Segments, true).unwrap_err();
        assert!(error.to_string().ends_with("meta.properties is not brooklet's; take another folder"), "{error}");
    }
}
