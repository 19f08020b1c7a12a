import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** What the clients before 2.5 have another way, or not at all. */
class Era {
    static final List<Class<?>> ASSIGNORS = List.of(RangeAssignor.class, RoundRobinAssignor.class, StickyAssignor.class);

    static void sendOffsets(KafkaProducer<String, String> producer, Map<TopicPartition, OffsetAndMetadata> offsets,
            KafkaConsumer<String, String> consumer, String group) {
        producer.sendOffsetsToTransaction(offsets, group);
    }

    /** AlterConfigs replaces all of the topic's settings. */
    static void setRetention(AdminClient admin, String topic, String value) throws Exception {
        admin.alterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic),
                new Config(List.of(new ConfigEntry("retention.ms", value))))).all().get();
    }

    static void later(AdminClient admin, TopicPartition records, String group) {}
}
