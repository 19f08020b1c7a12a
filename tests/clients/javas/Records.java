import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;

/** Produced and read again: codecs, headers, acknowledgements, what is too large. */
class Records {
    static void codecs() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = Client.topic("codec-" + codec, 1);
            try (KafkaProducer<String, String> producer = Client.producer(
                    Map.of("compression.type", codec, "enable.idempotence", "true", "acks", "all", "linger.ms", "5"))) {
                ProducerRecord<String, String> first = new ProducerRecord<>(topic, 0, 1234567L, "k", "first");
                first.headers().add("trace", "x1".getBytes()).add("trace", "x2".getBytes()).add("none", null);
                RecordMetadata sent = producer.send(first).get();
                Client.same(List.of(0, 0L, 1234567L), List.of(sent.partition(), sent.offset(), sent.timestamp()));
                producer.send(new ProducerRecord<>(topic, "gone", null)).get();
                Client.send(producer, topic, 0, 2000);
            }
            List<ConsumerRecord<String, String>> found = Client.read(topic, 2002, "read_uncommitted");
            ConsumerRecord<String, String> first = found.get(0);
            Client.same(List.of("k", "first", 1234567L), List.of(first.key(), first.value(), first.timestamp()));
            StringBuilder headers = new StringBuilder();
            for (Header header : first.headers()) {
                headers.append(header.key()).append('=').append(header.value() == null ? "" : new String(header.value())).append(' ');
            }
            Client.same("trace=x1 trace=x2 none= ", headers.toString());
            Client.same(null, found.get(1).value());
            Client.same(Client.numbers(0, 2000), Client.values(found.subList(2, 2002)));
        }
    }

    static void acknowledgements() throws Exception {
        for (String acks : List.of("0", "1", "all")) {
            String topic = Client.topic("acks-" + acks, 1);
            try (KafkaProducer<String, String> producer = Client.producer(Map.of("acks", acks, "enable.idempotence", "false"))) {
                Client.send(producer, topic, 0, 500);
            }
            Client.same(Client.numbers(0, 500), Client.values(Client.read(topic, 500, "read_uncommitted")));
        }
        String topic = Client.topic("large", 1);
        try (KafkaProducer<String, String> producer = Client.producer(Map.of("acks", "all", "max.request.size", "9000000"))) {
            // Random letters: a batch that is too large alone cannot be split, and does not shrink.
            String large = new Random(7).ints(2_000_000, 'a', 'z')
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
            Client.refused(RecordTooLargeException.class, () -> producer.send(new ProducerRecord<>(topic, large)).get());
        }
    }
}
