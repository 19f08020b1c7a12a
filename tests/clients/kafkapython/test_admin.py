"""Topics, settings, offsets, groups and the cluster through the admin client, and the errors of what cannot be."""
import uuid

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import (ACLFilter, ACLOperation, ACLPermissionType, ACLResourcePatternType, AlterConfigOp,
                         ConfigResource, ConfigResourceType, OffsetSpec, OffsetTimestamp, ResourcePatternFilter,
                         ResourceType, ScramMechanism, UpdateFeatureType, UserScramCredentialDeletion,
                         UserScramCredentialUpsertion)
from kafka.errors import (ElectionNotNeededError, InvalidConfigurationError, InvalidPartitionsError,
                          InvalidReplicationAssignmentError, InvalidReplicationFactorError, InvalidTopicError, NoError,
                          OffsetOutOfRangeError, SecurityDisabledError, TopicAlreadyExistsError,
                          UnknownTopicOrPartitionError)

from conftest import BOOTSTRAP, send, take, until


def test_a_topic_is_created_described_widened_and_deleted(admin, topic):
    t = topic(3)
    told, = admin.describe_topics([t])
    assert told["error_code"] == 0 and "ALTER_CONFIGS" in told["authorized_operations"]
    by_id, = admin.describe_topics([uuid.UUID(told["topic_id"])])
    assert by_id["name"] == t
    admin.create_partitions({t: 5})
    until(lambda: len(admin.describe_topics([t])[0]["partitions"]) == 5)
    with pytest.raises(InvalidPartitionsError):
        admin.create_partitions({t: 2})
    page = admin.describe_topic_partitions([t], response_partition_limit=3)
    assert [len(page["topics"][0]["partitions"]), page["next_cursor"]["partition_index"]] == [3, 3]
    rest = admin.describe_topic_partitions([t], cursor=page["next_cursor"])
    assert [part["partition_index"] for part in rest["topics"][0]["partitions"]] == [3, 4]
    admin.delete_topics([t])
    until(lambda: t not in admin.list_topics())
    with pytest.raises(UnknownTopicOrPartitionError):
        admin.delete_topics([t])


def test_what_cannot_be_created_has_kafkas_error(admin, topic, name):
    def refused(error, own=name, partitions=1, factor=1, **configs):
        with pytest.raises(error):
            admin.create_topics({own: {"num_partitions": partitions, "replication_factor": factor, "configs": configs}})

    refused(TopicAlreadyExistsError, own=topic())
    refused(InvalidTopicError, own="no/good")
    refused(InvalidPartitionsError, partitions=0)
    refused(InvalidReplicationFactorError, factor=7)
    refused(InvalidConfigurationError, **{"retention.ms": "soon"})
    valid, = admin.create_topics([name], validate_only=True)["topics"]
    assert (valid["num_partitions"], valid["replication_factor"]) == (1, 1)
    assert valid["configs"]["retention.ms"]["value"] == "604800000"
    assert name not in admin.list_topics()


def test_settings_are_told_altered_and_reset(admin, topic):
    t = topic(cleanup_policy="compact")

    def setting(key):
        told = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, t, [key])], include_synonyms=True,
                                      config_filter="all")["topic"][t][key]
        return told["value"], told["config_source"]

    def alter(key, change):
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, t, {key: change})])

    assert setting("cleanup.policy") == ("compact", "DYNAMIC_TOPIC_CONFIG")
    assert setting("max.message.bytes") == ("1048588", "DEFAULT_CONFIG")
    alter("cleanup.policy", (AlterConfigOp.APPEND, "delete"))
    until(lambda: setting("cleanup.policy")[0] == "compact,delete")
    alter("cleanup.policy", (AlterConfigOp.SUBTRACT, "compact"))
    until(lambda: setting("cleanup.policy")[0] == "delete")
    alter("retention.ms", "12345")
    until(lambda: setting("retention.ms") == ("12345", "DYNAMIC_TOPIC_CONFIG"))
    admin.reset_configs([ConfigResource(ConfigResourceType.TOPIC, t, ["retention.ms"])])
    until(lambda: setting("retention.ms") == ("604800000", "DEFAULT_CONFIG"))
    assert t in admin.list_config_resources()["topic"]


def test_offsets_ends_by_time_and_after_records_were_deleted(admin, topic, producer):
    t = topic()
    part = TopicPartition(t, 0)
    p = producer()
    for at in (1000, 5000, 3000):
        p.send(t, b"v", timestamp_ms=at).get(30)

    def found(spec):
        told = admin.list_partition_offsets({part: spec})[part]
        return told.offset, told.timestamp

    assert [found(OffsetSpec.EARLIEST)[0], found(OffsetSpec.LATEST)[0]] == [0, 3]
    assert found(OffsetSpec.MAX_TIMESTAMP) == (1, 5000)
    assert found(OffsetTimestamp(2000)) == (1, 5000)
    assert found(OffsetTimestamp(6000)) == (-1, -1)
    assert admin.delete_records({part: 2})[part]["low_watermark"] == 2
    assert found(OffsetSpec.EARLIEST)[0] == 2
    with pytest.raises(OffsetOutOfRangeError):
        admin.delete_records({part: 50})


def test_a_group_is_told_altered_and_deleted(admin, topic, producer, consumer, name):
    t = topic(2)
    parts = [TopicPartition(t, 0), TopicPartition(t, 1)]
    p = producer()
    for n in range(10):
        p.send(t, b"v", partition=n % 2).get(30)
    c = consumer(t, group_id=name, client_id="the-client")
    take(10, c)
    c.commit()

    def offsets():
        return {part: each.offset for part, each in admin.list_group_offsets(name)[name].items()}

    assert offsets() == {part: 5 for part in parts}
    told = admin.describe_groups([name])[name]
    assert (told["group_state"], told["protocol_type"], told["protocol_data"]) == ("Stable", "consumer", "range")
    assert [each["client_id"] for each in told["members"]] == ["the-client"]
    listed, = [each for each in admin.list_groups(states_filter=["Stable"]) if each["group_id"] == name]
    assert (listed["protocol_type"], listed["group_type"]) == ("consumer", "classic")
    assert admin.delete_group_offsets(name, parts[:1])[parts[0]].__name__ == "GroupSubscribedToTopicError"
    assert admin.delete_groups([name])[name] == "NonEmptyGroupError"
    c.close()
    until(lambda: admin.describe_groups([name])[name]["group_state"] == "Empty")
    assert admin.alter_group_offsets(name, {parts[0]: OffsetAndMetadata(3, "m", -1)}) == {parts[0]: NoError}
    reset = admin.reset_group_offsets(name, {parts[0]: OffsetSpec.EARLIEST, parts[1]: 4})
    assert {part: (each["error"], each["offset"]) for part, each in reset.items()} == {
        parts[0]: (NoError, 0), parts[1]: (NoError, 4)}
    assert admin.delete_group_offsets(name, parts[:1]) == {parts[0]: NoError}
    assert offsets() == {parts[1]: 4}
    assert admin.delete_groups([name]) == {name: "OK"}
    assert admin.delete_groups([name]) == {name: "GroupIdNotFoundError"}


def test_leaders_and_replicas_stay_where_they_are(admin, topic):
    t = topic(2)
    part = TopicPartition(t, 0)
    broker = admin.describe_cluster()["controller_id"]
    elected, = admin.elect_leaders(0, {t: [0, 1]}, raise_errors=False).replica_election_results
    assert [each.error_code for each in elected.partition_result] == 2 * [ElectionNotNeededError.errno]
    assert admin.alter_partition_reassignments({part: [broker]}) == {part: None}
    assert admin.alter_partition_reassignments({part: [broker + 7]}) == {part: InvalidReplicationAssignmentError}
    assert admin.list_partition_reassignments() == {}


def test_the_cluster_tells_of_itself(admin, topic, producer):
    t = topic()
    send(producer(), t, range(10))
    cluster = admin.describe_cluster()
    broker, = cluster["brokers"]
    assert f"{broker['host']}:{broker['port']}" == BOOTSTRAP
    assert cluster["controller_id"] == broker["broker_id"] and len(cluster["cluster_id"]) == 22
    features = admin.describe_features()
    assert features["transaction.version"]["finalized"] == (2, 2) and "metadata.version" in features
    update = {"transaction.version": (UpdateFeatureType.UPGRADE, 2)}
    assert admin.update_features(update, validate_only=True) == {"transaction.version": "OK"}
    quorum, = admin.describe_metadata_quorum()["topics"]
    assert [voter["replica_id"] for voter in quorum["partitions"][0]["current_voters"]] == [broker["broker_id"]]
    folder, = admin.describe_log_dirs([t])[0]["log_dirs"]
    size, = [part["partition_size"] for each in folder["topics"] for part in each["partitions"]]
    assert 0 < size < folder["usable_bytes"] <= folder["total_bytes"]


def test_credentials_are_kept_and_acls_are_off_without_an_authorizer(admin, name):
    sha = ScramMechanism.SCRAM_SHA_256
    assert admin.alter_user_scram_credentials([UserScramCredentialUpsertion(name, sha, "secret")]) == {name: None}
    expected = {"error": None, "credential_infos": [{"mechanism": sha, "iterations": 4096}]}
    until(lambda: admin.describe_user_scram_credentials([name])[name] == expected)
    assert admin.alter_user_scram_credentials([UserScramCredentialDeletion(name, sha)]) == {name: None}
    until(lambda: admin.describe_user_scram_credentials([name])[name]["error"])
    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    with pytest.raises(SecurityDisabledError):
        admin.describe_acls(ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, everything))
