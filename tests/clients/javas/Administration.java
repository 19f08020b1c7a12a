import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupListing;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Topics, settings, offsets and the cluster, and the errors of what cannot be. */
class Administration {
    static void topics() throws Exception {
        String topic = Client.topic("admin", 3);
        refusedTopic(TopicExistsException.class, new NewTopic(topic, 1, (short) 1));
        refusedTopic(InvalidTopicException.class, new NewTopic("no/good", 1, (short) 1));
        refusedTopic(InvalidPartitionsException.class, new NewTopic(topic + "-none", 0, (short) 1));
        refusedTopic(InvalidReplicationFactorException.class, new NewTopic(topic + "-none", 1, (short) 7));
        refusedTopic(InvalidConfigurationException.class,
                new NewTopic(topic + "-none", 1, (short) 1).configs(Map.of("retention.ms", "soon")));
        Client.admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        Client.eventually("five partitions", () -> {
            try (KafkaConsumer<String, String> consumer = Client.consumer(Map.of())) {
                return consumer.partitionsFor(topic).size() == 5;
            }
        });
        Client.refused(InvalidPartitionsException.class,
                () -> Client.admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get());
        Client.admin.deleteTopics(List.of(topic)).all().get();
        Client.eventually("it is gone", () -> !Client.admin.listTopics().names().get().contains(topic));
        Client.refused(UnknownTopicOrPartitionException.class, () -> Client.admin.deleteTopics(List.of(topic)).all().get());
    }

    static void refusedTopic(Class<?> expected, NewTopic topic) throws Exception {
        Client.refused(expected, () -> Client.admin.createTopics(List.of(topic)).all().get());
    }

    static ConfigEntry setting(ConfigResource.Type type, String resource, String name) throws Exception {
        ConfigResource wanted = new ConfigResource(type, resource);
        return Client.admin.describeConfigs(Set.of(wanted)).all().get().get(wanted).get(name);
    }

    static void settings() throws Exception {
        String topic = Client.topic("settings", 1);
        ConfigEntry before = setting(ConfigResource.Type.TOPIC, topic, "retention.ms");
        Client.same(List.of("604800000", true), List.of(before.value(), before.isDefault()));
        Era.setRetention(Client.admin, topic, "12345");
        Client.eventually("the setting", () -> {
            ConfigEntry entry = setting(ConfigResource.Type.TOPIC, topic, "retention.ms");
            return entry.value().equals("12345") && entry.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG;
        });
        Client.refused(InvalidConfigurationException.class, () -> {
            Era.setRetention(Client.admin, topic, "soon");
            return null;
        });
        Node broker = Client.admin.describeCluster().controller().get();
        ConfigEntry name = setting(ConfigResource.Type.BROKER, broker.idString(), "compression.type");
        Client.same(List.of("producer", false), List.of(name.value(), name.isReadOnly()));
    }

    static void offsets() throws Exception {
        String topic = Client.topic("offsets", 1);
        TopicPartition records = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = Client.producer(Map.of())) {
            for (int n = 0; n < 5; n++) producer.send(new ProducerRecord<>(topic, 0, 1000L * (n + 1), "k", "v")).get();
        }
        String group = Client.prefix + "offsets";
        Client.same(2L, Client.admin.deleteRecords(Map.of(records, RecordsToDelete.beforeOffset(2))).lowWatermarks()
                .get(records).get().lowWatermark());
        Client.refused(OffsetOutOfRangeException.class,
                () -> Client.admin.deleteRecords(Map.of(records, RecordsToDelete.beforeOffset(50))).all().get());
        try (KafkaConsumer<String, String> consumer = Client.consumer(Map.of("group.id", group))) {
            Client.same(Map.of(records, 2L), consumer.beginningOffsets(Set.of(records)));
            Client.same(Map.of(records, 5L), consumer.endOffsets(Set.of(records)));
            Client.same(3L, consumer.offsetsForTimes(Map.of(records, 3500L)).get(records).offset());
            consumer.assign(Set.of(records));
            consumer.commitSync(Map.of(records, new OffsetAndMetadata(4, "what I was doing")));
            Client.same(4L, consumer.position(records, Duration.ofSeconds(Client.SECONDS_MAX)));
        }
        Client.same(new OffsetAndMetadata(4, "what I was doing"),
                Client.admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(records));
        Collection<ConsumerGroupListing> listed = Client.admin.listConsumerGroups().all().get();
        Client.same(1L, listed.stream().filter(each -> each.groupId().equals(group)).count());
        Client.admin.deleteConsumerGroups(List.of(group)).all().get();
        Client.refused(GroupIdNotFoundException.class, () -> Client.admin.deleteConsumerGroups(List.of(group)).all().get());
        Era.later(Client.admin, records, group);
    }

    static void cluster() throws Exception {
        Collection<Node> nodes = Client.admin.describeCluster().nodes().get();
        Node node = nodes.iterator().next();
        Client.same(List.of(1, Client.bootstrap), List.of(nodes.size(), node.host() + ":" + node.port()));
        Client.same(22, Client.admin.describeCluster().clusterId().get().length());
        Client.refused(SecurityDisabledException.class, () -> Client.admin.describeAcls(AclBindingFilter.ANY).values().get());
    }
}
