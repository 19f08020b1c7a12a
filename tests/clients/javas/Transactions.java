import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;

/** Committed, aborted, with the offsets of what was read, and fenced. */
class Transactions {
    static KafkaProducer<String, String> producer(String id) {
        KafkaProducer<String, String> producer = Client.producer(Map.of("transactional.id", Client.prefix + id));
        producer.initTransactions();
        return producer;
    }

    static void committedAndAborted() throws Exception {
        String topic = Client.topic("ends", 1);
        try (KafkaProducer<String, String> producer = producer("ends")) {
            for (int turn = 0; turn < 3; turn++) {
                producer.beginTransaction();
                Client.send(producer, topic, 10 * turn, 10 * turn + 10);
                if (turn == 1) producer.abortTransaction(); else producer.commitTransaction();
            }
        }
        List<String> expected = Client.numbers(0, 10);
        expected.addAll(Client.numbers(20, 30));
        Client.same(expected, Client.values(Client.read(topic, 20, "read_committed")));
        Client.same(Client.numbers(0, 30), Client.values(Client.read(topic, 30, "read_uncommitted")));
    }

    /** Each turn is a new instance of the application, which fences the one before; every third transaction is aborted. */
    static void takenOnce() throws Exception {
        String in = Client.topic("in", 1);
        String out = Client.topic("out", 1);
        String group = Client.prefix + "taken";
        try (KafkaProducer<String, String> plain = Client.producer(Map.of())) {
            Client.send(plain, in, 0, 300);
        }
        int done = 0;
        for (int turn = 1; done < 300; turn++) {
            try (KafkaConsumer<String, String> consumer = Client.consumer(
                            Map.of("group.id", group, "isolation.level", "read_committed", "max.poll.records", "70"));
                    KafkaProducer<String, String> producer = producer("taken")) {
                consumer.subscribe(List.of(in));
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofSeconds(1));
                while (records.isEmpty()) records = consumer.poll(Duration.ofSeconds(1));
                producer.beginTransaction();
                for (ConsumerRecord<String, String> record : records) {
                    producer.send(new ProducerRecord<>(out, record.key(), record.value()));
                }
                Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                for (TopicPartition each : records.partitions()) offsets.put(each, new OffsetAndMetadata(consumer.position(each)));
                Era.sendOffsets(producer, offsets, consumer, group);
                if (turn % 3 == 0) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                    done += records.count();
                }
            }
        }
        Client.same(Client.numbers(0, 300), Client.values(Client.read(out, 300, "read_committed")));
    }

    static void fenced() throws Exception {
        String topic = Client.topic("fenced", 1);
        try (KafkaProducer<String, String> first = producer("fenced")) {
            first.beginTransaction();
            Client.send(first, topic, 0, 5);
            try (KafkaProducer<String, String> second = producer("fenced")) {
                second.beginTransaction();
                Client.send(second, topic, 5, 10);
                second.commitTransaction();
            }
            Client.refused(ProducerFencedException.class, () -> {
                first.commitTransaction();
                return null;
            });
        }
        Client.same(Client.numbers(5, 10), Client.values(Client.read(topic, 5, "read_committed")));
    }
}
