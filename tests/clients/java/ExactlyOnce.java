import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Consumes, transforms and produces within transactions, some of them aborted; then every record is there once. */
public class ExactlyOnce {
    static final int RECORDS = 500;
    static final String STRING = "org.apache.kafka.common.serialization.String";

    public static void main(String[] args) {
        String bootstrap = args[0];
        try (KafkaProducer<String, String> plain = new KafkaProducer<>(producer(bootstrap, null))) {
            for (int n = 0; n < RECORDS; n++) plain.send(new ProducerRecord<>("java-eos-in", "" + n));
        }
        int transactions = 0;
        int done = 0;
        while (done < RECORDS) {
            // A new instance of the application each time: it fences the one before.
            try (KafkaConsumer<String, String> consumer = consumer(bootstrap, "java-eos");
                    KafkaProducer<String, String> producer = new KafkaProducer<>(producer(bootstrap, "java-eos"))) {
                producer.initTransactions();
                consumer.subscribe(List.of("java-eos-in"));
                for (int round = 0; round < 5 && done < RECORDS; round++) {
                    ConsumerRecords<String, String> records = consumer.poll(Duration.ofSeconds(1));
                    if (records.isEmpty()) continue;
                    producer.beginTransaction();
                    for (ConsumerRecord<String, String> record : records) {
                        producer.send(new ProducerRecord<>("java-eos-out", "<" + record.value() + ">"));
                    }
                    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
                    for (TopicPartition partition : records.partitions()) {
                        offsets.put(partition, new OffsetAndMetadata(consumer.position(partition)));
                    }
                    producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
                    transactions++;
                    if (transactions % 3 == 0) {
                        producer.abortTransaction();
                        break;
                    }
                    producer.commitTransaction();
                    done += records.count();
                }
            }
        }
        List<String> read = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(bootstrap, "java-eos-check")) {
            TopicPartition out = new TopicPartition("java-eos-out", 0);
            consumer.assign(List.of(out));
            consumer.seekToBeginning(List.of(out));
            long end = consumer.endOffsets(List.of(out)).get(out);
            while (consumer.position(out) < end) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) read.add(record.value());
            }
        }
        for (int n = 0; n < RECORDS; n++) {
            if (n >= read.size() || !read.get(n).equals("<" + n + ">")) throw new AssertionError("record " + n + ": " + read);
        }
        if (read.size() != RECORDS) throw new AssertionError(read.size() + " records");
        System.out.println("read " + read.size() + " records, each once, after " + transactions + " transactions");
    }

    static Properties producer(String bootstrap, String transactionalId) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("key.serializer", STRING + "Serializer");
        properties.put("value.serializer", STRING + "Serializer");
        if (transactionalId != null) properties.put("transactional.id", transactionalId);
        return properties;
    }

    static KafkaConsumer<String, String> consumer(String bootstrap, String group) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("group.id", group);
        properties.put("key.deserializer", STRING + "Deserializer");
        properties.put("value.deserializer", STRING + "Deserializer");
        properties.put("isolation.level", "read_committed");
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.put("max.poll.records", "70");
        return new KafkaConsumer<>(properties);
    }
}
