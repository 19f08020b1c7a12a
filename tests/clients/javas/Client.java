import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** One version of the Java client: `Client BOOTSTRAP VERSION` runs each part, and fails with the first that does. */
public class Client {
    static final long SECONDS_MAX = 60;
    static String bootstrap;
    static String prefix;
    static AdminClient admin;

    interface Part {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        prefix = "javas-" + args[1] + "-";
        try (AdminClient client = AdminClient.create(Map.of("bootstrap.servers", bootstrap))) {
            admin = client;
            part("codecs", Records::codecs);
            part("acknowledgements", Records::acknowledgements);
            part("committed, aborted", Transactions::committedAndAborted);
            part("taken once", Transactions::takenOnce);
            part("fenced", Transactions::fenced);
            part("groups", Groups::shareAndTakeOver);
            part("topics", Administration::topics);
            part("settings", Administration::settings);
            part("offsets", Administration::offsets);
            part("cluster", Administration::cluster);
        }
    }

    static void part(String name, Part part) throws Exception {
        System.out.println(name);
        part.run();
    }

    /** Makes a topic, and waits until the broker leads it. */
    static String topic(String name, int partitions) throws Exception {
        String topic = prefix + name;
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
        List<TopicPartition> all = new ArrayList<>();
        for (int p = 0; p < partitions; p++) all.add(new TopicPartition(topic, p));
        try (KafkaConsumer<String, String> consumer = consumer(Map.of())) {
            consumer.endOffsets(all, Duration.ofSeconds(SECONDS_MAX));
        }
        return topic;
    }

    static KafkaProducer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(more);
        settings.put("bootstrap.servers", bootstrap);
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(Map.of("auto.offset.reset", "earliest", "enable.auto.commit", "false"));
        settings.putAll(more);
        settings.put("bootstrap.servers", bootstrap);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    /** Sends the numbers, each one its own key, and waits for all acknowledgements. */
    static void send(KafkaProducer<String, String> producer, String topic, int from, int to) {
        for (int n = from; n < to; n++) producer.send(new ProducerRecord<>(topic, "" + n, "" + n));
        producer.flush();
    }

    /** Partition 0 of the topic from its start, so many records. */
    static List<ConsumerRecord<String, String>> read(String topic, int count, String isolation) {
        List<ConsumerRecord<String, String>> found = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = consumer(Map.of("isolation.level", isolation))) {
            consumer.assign(List.of(new TopicPartition(topic, 0)));
            eventually(count + " records", () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(found::add);
                return found.size() >= count;
            });
        }
        same(count, found.size());
        return found;
    }

    static List<String> values(List<ConsumerRecord<String, String>> records) {
        List<String> values = new ArrayList<>();
        for (ConsumerRecord<String, String> record : records) values.add(record.value());
        return values;
    }

    static List<String> numbers(int from, int to) {
        List<String> numbers = new ArrayList<>();
        for (int n = from; n < to; n++) numbers.add("" + n);
        return numbers;
    }

    static void eventually(String what, Callable<Boolean> holds) {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
        try {
            while (!holds.call()) {
                if (System.nanoTime() > until) throw new AssertionError("did not come to be: " + what);
                Thread.sleep(10);
            }
        } catch (Exception error) {
            throw new AssertionError(what, error);
        }
    }

    static void same(Object expected, Object got) {
        if (!Objects.equals(expected, got)) throw new AssertionError("expected " + expected + ", got " + got);
    }

    static void refused(Class<?> expected, Throwable got) {
        if (!expected.isInstance(got)) throw new AssertionError("expected " + expected, got);
    }

    static void refused(Class<?> expected, Callable<?> call) throws Exception {
        try {
            call.call();
        } catch (ExecutionException error) {
            refused(expected, error.getCause());
            return;
        } catch (RuntimeException error) {
            refused(expected, error);
            return;
        }
        throw new AssertionError("no " + expected);
    }
}
