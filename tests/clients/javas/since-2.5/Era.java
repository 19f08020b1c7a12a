import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ElectionNotNeededException;

/** What the clients since 2.5 have another way, or more. */
class Era {
    static final List<Class<?>> ASSIGNORS =
            List.of(RangeAssignor.class, StickyAssignor.class, CooperativeStickyAssignor.class);

    static void sendOffsets(KafkaProducer<String, String> producer, Map<TopicPartition, OffsetAndMetadata> offsets,
            KafkaConsumer<String, String> consumer, String group) {
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
    }

    static void setRetention(AdminClient admin, String topic, String value) throws Exception {
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry("retention.ms", value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(set))).all().get();
    }

    /** Offsets listed, altered and deleted, and elections, of a partition whose records 2 to 4 are left. */
    static void later(AdminClient admin, TopicPartition records, String group) throws Exception {
        Client.same(2L, admin.listOffsets(Map.of(records, OffsetSpec.earliest())).all().get().get(records).offset());
        Client.same(5L, admin.listOffsets(Map.of(records, OffsetSpec.latest())).all().get().get(records).offset());
        Client.same(3L, admin.listOffsets(Map.of(records, OffsetSpec.forTimestamp(3500))).all().get().get(records).offset());
        admin.alterConsumerGroupOffsets(group, Map.of(records, new OffsetAndMetadata(3, "altered"))).all().get();
        Client.same(new OffsetAndMetadata(3, "altered"),
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(records));
        admin.deleteConsumerGroupOffsets(group, Set.of(records)).all().get();
        Client.same(Map.of(), admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
        Client.refused(ElectionNotNeededException.class,
                admin.electLeaders(ElectionType.PREFERRED, Set.of(records)).partitions().get().get(records).orElseThrow());
        Client.same(Map.of(), admin.listPartitionReassignments().reassignments().get());
    }
}
