//! Requests about who clients are and what they may use: fields as in Kafka's `*Request.json`, their names as comments.

use kafka_protocol::messages::{
    alter_client_quotas_request, alter_user_scram_credentials_request, create_delegation_token_request,
    describe_client_quotas_request, describe_delegation_token_request, describe_user_scram_credentials_request,
};

use super::schema::{Schema, bytes, int8, int32, int64, many, text};

pub(super) static SASL_HANDSHAKE: Schema = Schema {
    key: 17,
    first: 0,
    last: 1,
    flexible: i16::MAX,
    fields: &[
        text(), // mechanism
    ],
};

pub(super) static SASL_AUTHENTICATE: Schema = Schema {
    key: 36,
    first: 0,
    last: 2,
    flexible: 2,
    fields: &[
        bytes(), // auth bytes
    ],
};

pub(super) static CREATE_DELEGATION_TOKEN: Schema = Schema {
    key: 38,
    first: 1,
    last: 3,
    flexible: 2,
    fields: &[
        text().from(3), // owner principal type
        text().from(3), // owner principal name
        many::<create_delegation_token_request::CreatableRenewers>(&[
            text(), // principal type
            text(), // principal name
        ]),
        int64(), // max lifetime ms
    ],
};

pub(super) static RENEW_DELEGATION_TOKEN: Schema = Schema {
    key: 39,
    first: 1,
    last: 2,
    flexible: 2,
    fields: &[
        bytes(), // hmac
        int64(), // renew period ms
    ],
};

pub(super) static EXPIRE_DELEGATION_TOKEN: Schema = Schema {
    key: 40,
    first: 1,
    last: 2,
    flexible: 2,
    fields: &[
        bytes(), // hmac
        int64(), // expiry time period ms
    ],
};

pub(super) static DESCRIBE_DELEGATION_TOKEN: Schema = Schema {
    key: 41,
    first: 1,
    last: 3,
    flexible: 2,
    fields: &[many::<describe_delegation_token_request::DescribeDelegationTokenOwner>(&[
        text(), // principal type
        text(), // principal name
    ])],
};

pub(super) static DESCRIBE_CLIENT_QUOTAS: Schema = Schema {
    key: 48,
    first: 0,
    last: 1,
    flexible: 1,
    fields: &[
        many::<describe_client_quotas_request::ComponentData>(&[
            text(), // entity type
            int8(), // match type
            text(), // match
        ]),
        int8(), // strict
    ],
};

pub(super) static ALTER_CLIENT_QUOTAS: Schema = Schema {
    key: 49,
    first: 0,
    last: 1,
    flexible: 1,
    fields: &[
        many::<alter_client_quotas_request::EntryData>(&[
            many::<alter_client_quotas_request::EntityData>(&[
                text(), // entity type
                text(), // entity name
            ]),
            many::<alter_client_quotas_request::OpData>(&[
                text(),  // key
                int64(), // value
                int8(),  // remove
            ]),
        ]),
        int8(), // validate only
    ],
};

pub(super) static DESCRIBE_USER_SCRAM_CREDENTIALS: Schema = Schema {
    key: 50,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[many::<describe_user_scram_credentials_request::UserName>(&[
        text(), // name
    ])],
};

pub(super) static ALTER_USER_SCRAM_CREDENTIALS: Schema = Schema {
    key: 51,
    first: 0,
    last: 0,
    flexible: 0,
    fields: &[
        many::<alter_user_scram_credentials_request::ScramCredentialDeletion>(&[
            text(), // name
            int8(), // mechanism
        ]),
        many::<alter_user_scram_credentials_request::ScramCredentialUpsertion>(&[
            text(),  // name
            int8(),  // mechanism
            int32(), // iterations
            bytes(), // salt
            bytes(), // salted password
        ]),
    ],
};
