import java.util.Arrays;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Transactions of one record each, one after the other, by Kafka's own client: Transaction BOOTSTRAP TOPIC COUNT BYTES. */
public class Transaction {
    public static void main(String[] args) throws Exception {
        int count = Integer.parseInt(args[2]);
        byte[] value = new byte[Integer.parseInt(args[3])];
        long[] took = new long[count];
        Map<String, Object> settings = Map.of("bootstrap.servers", args[0], "transactional.id", "bench-" + args[1],
            "key.serializer", ByteArraySerializer.class, "value.serializer", ByteArraySerializer.class);
        try (var producer = new KafkaProducer<byte[], byte[]>(settings)) {
            producer.initTransactions();
            // The client's own code is compiled while it runs: what is measured comes after that.
            for (int number = -count; number < count; number++) {
                long began = System.nanoTime();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>(args[1], value));
                producer.commitTransaction();
                if (number >= 0) {
                    took[number] = System.nanoTime() - began;
                }
            }
        }
        Arrays.sort(took);
        System.out.printf("{\"us_p50\": %.1f, \"us_p99\": %.1f}%n", took[count / 2] / 1e3, took[count * 99 / 100] / 1e3);
    }
}
