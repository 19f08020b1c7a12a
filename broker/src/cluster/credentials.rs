//! SCRAM credentials as they are kept (`ScramControlManager`, KIP-554): what a server needs of a password, never the
//! password. Nobody is asked for one yet.

use std::collections::BTreeMap;

use brooklet_storage::Update;
use hmac::digest::{InvalidLength, KeyInit};
use hmac::{Hmac, Mac};
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::StrBytes;
use sha2::{Digest, Sha256, Sha512};

use super::{Updates, check_name};
use crate::error::ApiError;

/// Iterations that make a password hard to guess, and that a server can be asked for (`ScramMechanism`).
const ITERATIONS_MIN: i32 = 4096;
const ITERATIONS_MAX: i32 = 16_384;

/// Longest salt in bytes; Kafka has no bound, and its tools give 16.
const SALT_LEN_MAX: usize = 1024;

/// How passwords are hashed, by number (`ScramMechanism.type`).
const SHA_256: i8 = 1;
const SHA_512: i8 = 2;

/// One mechanism's credential of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) iterations: i32,
    salt: Vec<u8>,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

/// A credential to make or to change.
#[derive(Debug)]
pub(crate) struct Upsertion {
    pub(crate) user: StrBytes,
    pub(crate) mechanism: i8,
    pub(crate) iterations: i32,
    pub(crate) salt: Vec<u8>,
    pub(crate) salted_password: Vec<u8>,
}

/// All credentials by user and mechanism.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Credentials(BTreeMap<String, BTreeMap<i8, Credential>>);

impl Credentials {
    pub(crate) fn users(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The credentials of a user by mechanism, if there are any.
    pub(crate) fn of(&self, user: &str) -> Option<&BTreeMap<i8, Credential>> {
        self.0.get(user)
    }

    /// What is to be recorded, and what each user is answered: one that comes twice is not changed at all.
    pub(crate) fn alter(
        &self,
        deletions: Vec<(StrBytes, i8)>,
        upsertions: Vec<Upsertion>,
    ) -> (Vec<Update>, BTreeMap<StrBytes, Result<(), ApiError>>) {
        let mut wanted: BTreeMap<StrBytes, Result<Update, ApiError>> = BTreeMap::new();
        let mut want = |user: StrBytes, update: Result<Update, ApiError>| {
            let twice = "A user credential cannot be altered twice in the same request";
            match wanted.get_mut(&user) {
                Some(known @ Ok(_)) => *known = Err(ApiError::new(ResponseError::DuplicateResource, twice)),
                Some(Err(_)) => {}
                None => drop(wanted.insert(user, update)),
            }
        };
        for (user, mechanism) in deletions {
            let update = self.deleted(&user, mechanism);
            want(user, update);
        }
        for upsertion in upsertions {
            let update = upserted(&upsertion);
            want(upsertion.user, update);
        }
        let mut updates = Updates::default();
        let mut result = |update: Result<Update, ApiError>| update.and_then(|update| updates.push(update));
        let results = wanted.into_iter().map(|(user, update)| (user, result(update))).collect();
        (updates.updates, results)
    }

    fn deleted(&self, user: &str, mechanism: i8) -> Result<Update, ApiError> {
        check(user, mechanism)?;
        let there = self.of(user).is_some_and(|credentials| credentials.contains_key(&mechanism));
        let missing = "Attempt to delete a user credential that does not exist";
        there
            .then(|| (key(user, mechanism), None))
            .ok_or_else(|| ApiError::new(ResponseError::ResourceNotFound, missing))
    }

    /// Takes up a record that [`alter`](Self::alter) made; `None` if it is none.
    pub(super) fn replay(&mut self, name: &str, value: Option<&[u8]>) -> Option<()> {
        let (mechanism, user) = name.split_once('/')?;
        let mechanism = mechanism.parse().ok()?;
        let Some(value) = value else {
            let credentials = self.0.get_mut(user)?;
            credentials.remove(&mechanism)?;
            if credentials.is_empty() {
                self.0.remove(user);
            }
            return Some(());
        };
        let (iterations, salt, stored_key, server_key) = serde_json::from_slice(value).ok()?;
        let credential = Credential { iterations, salt, stored_key, server_key };
        self.0.entry(user.to_owned()).or_default().insert(mechanism, credential);
        Some(())
    }

    /// Bytes that the names and keys take.
    pub(super) fn weight(&self) -> usize {
        let one = |it: &Credential| size_of::<Credential>() + it.salt.len() + it.stored_key.len() + it.server_key.len();
        let of_user =
            |(user, all): (&String, &BTreeMap<i8, Credential>)| user.len() + all.values().map(one).sum::<usize>();
        self.0.iter().map(of_user).sum()
    }
}

/// Where the record of a credential stands, before mechanism and user.
pub(super) const PREFIX: &str = "scram/";

fn key(user: &str, mechanism: i8) -> Vec<u8> {
    format!("{PREFIX}{mechanism}/{user}").into_bytes()
}

fn check(user: &str, mechanism: i8) -> Result<(), ApiError> {
    if user.is_empty() {
        return Err(ApiError::new(ResponseError::UnacceptableCredential, "Username must not be empty"));
    }
    check_name(user)?;
    if ![SHA_256, SHA_512].contains(&mechanism) {
        return Err(ApiError::new(ResponseError::UnsupportedSaslMechanism, "Unknown SCRAM mechanism"));
    }
    Ok(())
}

fn upserted(wanted: &Upsertion) -> Result<Update, ApiError> {
    check(&wanted.user, wanted.mechanism)?;
    let unacceptable = |message| Err(ApiError::new(ResponseError::UnacceptableCredential, message));
    if wanted.iterations < ITERATIONS_MIN {
        return unacceptable("Too few iterations");
    }
    if wanted.iterations > ITERATIONS_MAX {
        return unacceptable("Too many iterations");
    }
    if wanted.salt.len() > SALT_LEN_MAX {
        return unacceptable("The salt is too long");
    }
    if wanted.salted_password.is_empty() {
        // Kafka's library cannot hash with it.
        return Err(ResponseError::UnknownServerError.into());
    }
    let keys = keys(wanted.mechanism, &wanted.salted_password);
    // HMAC takes a key of any length.
    let (stored_key, server_key) = keys.map_err(|_| ResponseError::UnknownServerError)?;
    // Numbers and lists of them: nothing that JSON cannot say.
    let written = serde_json::to_vec(&(wanted.iterations, &wanted.salt, stored_key, server_key)).unwrap_or_default();
    Ok((key(&wanted.user, wanted.mechanism), Some(written)))
}

/// StoredKey and ServerKey (RFC 5802, section 3).
fn keys(mechanism: i8, salted_password: &[u8]) -> Result<(Vec<u8>, Vec<u8>), InvalidLength> {
    match mechanism {
        SHA_512 => keys_by::<Hmac<Sha512>, Sha512>(salted_password),
        _ => keys_by::<Hmac<Sha256>, Sha256>(salted_password),
    }
}

fn keys_by<M: Mac + KeyInit, H: Digest>(salted_password: &[u8]) -> Result<(Vec<u8>, Vec<u8>), InvalidLength> {
    let client_key = hmac::<M>(salted_password, b"Client Key")?;
    Ok((H::digest(client_key).to_vec(), hmac::<M>(salted_password, b"Server Key")?))
}

fn hmac<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Result<Vec<u8>, InvalidLength> {
    Ok(<M as Mac>::new_from_slice(key)?.chain_update(text).finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Salt, password and messages of RFC 7677: the server's signature there is made with this key.
    #[test]
    fn keys_are_those_of_the_standard() {
        let salted = "c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d";
        let salted: Vec<u8> =
            (0..salted.len()).step_by(2).map(|at| u8::from_str_radix(&salted[at..at + 2], 16).unwrap()).collect();
        let (stored, server) = keys(SHA_256, &salted).unwrap();
        assert_eq!(hex(&stored), "586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6");
        assert_eq!(hex(&server), "c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5");
        let said = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = hmac::<Hmac<Sha256>>(&server, said.as_bytes()).unwrap();
        // `6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=` there.
        assert_eq!(hex(&signature), "eabae24d1062db75a9451ff0b6ea7e98c8546549ff741e672d3251b2397de46e");
    }

    /// A key longer than a block is hashed first; reckoned with another library.
    #[test]
    fn a_long_key_is_hashed_first() {
        let salted: Vec<u8> = (0..200).collect();
        let (stored, server) = keys(SHA_512, &salted).unwrap();
        assert!(hex(&stored).starts_with("dced7f285bc077d0af16ba5e69e6d89e"), "{}", hex(&stored));
        assert!(hex(&server).starts_with("0b11686ccd293fc3e6e8aeaab1550934"), "{}", hex(&server));
    }

    #[test]
    fn a_credential_is_no_password() {
        let made = upserted(&Upsertion {
            user: StrBytes::from_static_str("ann"),
            mechanism: SHA_256,
            iterations: 4096,
            salt: b"salt".to_vec(),
            salted_password: b"password".to_vec(),
        });
        let (key, value) = made.unwrap();
        let mut credentials = Credentials::default();
        credentials.replay(std::str::from_utf8(&key).unwrap().strip_prefix(PREFIX).unwrap(), value.as_deref()).unwrap();
        let kept = &credentials.of("ann").unwrap()[&SHA_256];
        assert_eq!((kept.iterations, kept.salt.as_slice()), (4096, b"salt".as_slice()));
        assert_eq!((kept.stored_key.clone(), kept.server_key.clone()), keys(SHA_256, b"password").unwrap());
    }
}
