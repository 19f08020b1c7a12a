import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** `Topics BOOTSTRAP STEP NAMES ...`: what goes into a job, and what must then have come out. */
public class Topics {
    static final long SECONDS_MAX = 90;
    static String bootstrap;
    static Admin admin;
    static String in;
    static String out;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        in = "flink-in-" + args[2];
        out = "flink-out-" + args[2];
        try (Admin client = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin = client;
            switch (args[1]) {
                case "create" -> create();
                case "feed" -> feed(Integer.parseInt(args[3]), Integer.parseInt(args[4]), null);
                case "await" -> await(Integer.parseInt(args[3]));
                case "lag" -> lag("flink-" + args[2]);
                case "widen" -> widen();
                case "settled" -> settled("flink-" + args[2]);
                default -> throw new IllegalArgumentException(args[1]);
            }
        }
    }

    static void create() throws Exception {
        admin.createTopics(List.of(new NewTopic(in, 3, (short) 1), new NewTopic(out, 2, (short) 1))).all().get();
        feed(0, 3000, null);
    }

    static void feed(int from, int to, Integer partition) {
        Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "linger.ms", 5);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (int n = from; n < to; n++) producer.send(new ProducerRecord<>(in, partition, "" + n, "" + n));
        }
    }

    /** The numbers below the count have come out, each once; what is not committed does not count. */
    static void await(int count) throws Exception {
        List<Integer> found = new ArrayList<>();
        Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed");
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = List.of(new TopicPartition(out, 0), new TopicPartition(out, 1));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            eventually(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> found.add(Integer.parseInt(record.value())));
                return found.size() >= count ? null : found.size() + " of " + count + " records";
            });
        }
        Collections.sort(found);
        for (int n = 0; n < found.size(); n++) {
            if (found.get(n) != n) throw new AssertionError("instead of " + n + " there is " + found.get(n));
        }
        if (found.size() != count) throw new AssertionError(found.size() + " records instead of " + count);
    }

    /** The source commits what it has read once a checkpoint has it. */
    static void lag(String group) throws Exception {
        eventually(() -> {
            Map<TopicPartition, OffsetAndMetadata> read = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            long left = 0;
            for (int p = 0; p < 3; p++) {
                TopicPartition each = new TopicPartition(in, p);
                long end = admin.listOffsets(Map.of(each, OffsetSpec.latest())).all().get().get(each).offset();
                left += end - (read.get(each) == null ? 0 : read.get(each).offset());
            }
            return left == 0 ? null : left + " records are left of " + read;
        });
    }

    static void widen() throws Exception {
        admin.createPartitions(Map.of(in, NewPartitions.increaseTo(4))).all().get();
        feed(9000, 9100, 3);
    }

    /** Neither the killed runs nor this one, which has nothing to write, hold readers back. */
    static void settled(String prefix) throws Exception {
        eventually(() -> {
            for (int p = 0; p < 2; p++) {
                TopicPartition each = new TopicPartition(out, p);
                long end = admin.listOffsets(Map.of(each, OffsetSpec.latest())).all().get().get(each).offset();
                long stable = admin.listOffsets(Map.of(each, OffsetSpec.latest()),
                        new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                        .all().get().get(each).offset();
                if (stable != end) return each + " is stable to " + stable + " of " + end;
            }
            long open = admin.listTransactions().all().get().stream()
                    .filter(each -> each.transactionalId().startsWith(prefix) && each.state() == TransactionState.ONGOING).count();
            return open == 0 ? null : open + " transactions are open";
        });
    }

    /** Until it is null; else it says what is amiss. */
    static void eventually(Callable<String> amiss) throws Exception {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
        for (String said; (said = amiss.call()) != null; Thread.sleep(50)) {
            if (System.nanoTime() > until) throw new AssertionError(said);
        }
    }
}
