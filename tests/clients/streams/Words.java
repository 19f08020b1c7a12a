import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KeyValue;

/**
 * What goes into the word count, and what must come out of it: Words BOOTSTRAP COMMAND.
 *
 *   create         the topics of the application's user, and the table's rows
 *   feed FROM TO   sends those lines
 *   await N        until N counts are committed
 *   check LINES    holds everything that came out of the first LINES lines against what went in
 *   configs        holds the settings of the topics that Streams made against what it asked for
 *   purged         until the repartition topic's records are deleted behind what was processed
 *   anew           makes the output topics anew; those that Streams made must be gone
 */
public class Words {
    static final String APPLICATION = "streams-words";
    static final List<String> INPUTS = List.of("streams-lines", "streams-kinds");
    static final List<String> OUTPUTS = List.of("streams-counts", "streams-windows", "streams-joined");
    static final int PARTITIONS = 3;
    static final int VOCABULARY = 200;
    static final int WORDS_A_LINE = 5;
    static final long PATIENCE_MS = 120_000;
    /** Event time: a line each 20 ms. START_MS is recent, for what is older than a week is deleted. */
    static final long LINE_MS = 20;
    static final long START_MS = Long.parseLong(System.getenv("START_MS"));

    public static void main(String[] args) throws Exception {
        Words words = new Words(args[0]);
        switch (args[1]) {
            case "create" -> words.create();
            case "feed" -> words.feed(Integer.parseInt(args[2]), Integer.parseInt(args[3]));
            case "await" -> words.await(Integer.parseInt(args[2]));
            case "check" -> words.check(Integer.parseInt(args[2]));
            case "configs" -> words.configs();
            case "purged" -> words.purged();
            case "anew" -> words.anew();
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    final String bootstrap;

    Words(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    /** Words and their ids, from a line `N WORD WORD …`. */
    static List<KeyValue<String, String>> of(String line) {
        String[] parts = line.split(" ");
        return IntStream.range(1, parts.length).mapToObj(at -> KeyValue.pair(parts[at], parts[0] + "." + at)).toList();
    }

    static String line(int n) {
        Random random = new Random(n);
        return n + random.ints(WORDS_A_LINE, 0, VOCABULARY).mapToObj(word -> " w" + word).collect(Collectors.joining());
    }

    static String kind(int word) {
        return "kind" + word % 7;
    }

    Properties clients() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        return properties;
    }

    void create() throws Exception {
        try (Admin admin = Admin.create(clients())) {
            admin.createTopics(topics(INPUTS)).all().get();
            admin.createTopics(topics(OUTPUTS)).all().get();
        }
        send(IntStream.range(0, VOCABULARY)
            .mapToObj(word -> new ProducerRecord<>("streams-kinds", null, START_MS, "w" + word, kind(word))).toList());
    }

    static List<NewTopic> topics(List<String> names) {
        return names.stream().map(name -> new NewTopic(name, PARTITIONS, (short) 1)).toList();
    }

    void anew() throws Exception {
        try (Admin admin = Admin.create(clients())) {
            same("Streams' topics", List.of(), made(admin));
            admin.deleteTopics(OUTPUTS).all().get();
            long until = System.currentTimeMillis() + PATIENCE_MS;
            while (admin.listTopics().names().get().stream().anyMatch(OUTPUTS::contains)) {
                if (System.currentTimeMillis() > until) throw new AssertionError("the topics are still there");
            }
            admin.createTopics(topics(OUTPUTS)).all().get();
        }
    }

    /** The topics that Streams made, sorted. */
    static List<String> made(Admin admin) throws Exception {
        return admin.listTopics().names().get().stream().filter(it -> it.startsWith(APPLICATION)).sorted().toList();
    }

    void feed(int from, int to) throws Exception {
        send(IntStream.range(from, to)
            .mapToObj(n -> new ProducerRecord<>("streams-lines", null, START_MS + n * LINE_MS, "k" + n, line(n)))
            .toList());
    }

    void send(Collection<ProducerRecord<String, String>> records) throws Exception {
        try (var producer = new KafkaProducer<>(clients(), new StringSerializer(), new StringSerializer())) {
            var sent = records.stream().map(producer::send).toList();
            for (var each : sent) each.get();
        }
    }

    /** All committed records of a topic, in order by partition. */
    <V> List<ConsumerRecord<String, V>> read(String topic, Deserializer<V> values) {
        Properties properties = clients();
        properties.put("isolation.level", "read_committed");
        List<ConsumerRecord<String, V>> read = new ArrayList<>();
        try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), values)) {
            var partitions = IntStream.range(0, PARTITIONS).mapToObj(at -> new TopicPartition(topic, at)).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(it -> consumer.position(it) < ends.get(it))) {
                consumer.poll(Duration.ofSeconds(1)).forEach(read::add);
            }
        }
        return read;
    }

    void await(int count) {
        long until = System.currentTimeMillis() + PATIENCE_MS;
        int seen = 0;
        while (seen < count) {
            if (System.currentTimeMillis() > until) throw new AssertionError(seen + " of " + count + " counts");
            seen = read("streams-counts", new LongDeserializer()).size();
        }
        System.out.println(seen + " counts");
    }

    void check(int lines) {
        Map<String, Long> counts = new TreeMap<>();
        Map<String, Long> windows = new TreeMap<>();
        TreeSet<String> joined = new TreeSet<>();
        long window = WordCount.WINDOW.toMillis();
        for (int n = 0; n < lines; n++) {
            long start = (START_MS + n * LINE_MS) / window * window;
            for (var word : of(line(n))) {
                counts.merge(word.key, 1L, Long::sum);
                windows.merge(word.key + "@" + start, 1L, Long::sum);
                joined.add(word.key + " " + kind(Integer.parseInt(word.key.substring(1))) + " " + word.value);
            }
        }
        same("counts", counts.entrySet(), counted("streams-counts").entrySet());
        same("windows", windows.entrySet(), counted("streams-windows").entrySet());
        List<String> pairs = new ArrayList<>();
        read("streams-joined", new StringDeserializer()).forEach(it -> pairs.add(it.key() + " " + it.value()));
        same("joined pairs", joined.size(), pairs.size());
        same("joined", joined, new TreeSet<>(pairs));
        System.out.println(pairs.size() + " words, each counted and joined once");
    }

    /** The last count of each key; each of its counts must be one more than the one before. */
    Map<String, Long> counted(String topic) {
        Map<String, Long> last = new TreeMap<>();
        for (var record : read(topic, new LongDeserializer())) {
            Long before = last.put(record.key(), record.value());
            if (record.value() != (before == null ? 1 : before + 1)) {
                throw new AssertionError(topic + ": " + record.key() + " is " + record.value() + " after " + before);
            }
        }
        return last;
    }

    void configs() throws Exception {
        Map<String, Map<String, String>> wanted = new HashMap<>();
        wanted.put("words-repartition", Map.of("cleanup.policy", "delete", "segment.bytes", "52428800",
            "retention.ms", "-1", "message.timestamp.type", "CreateTime"));
        wanted.put("counts-changelog", Map.of("cleanup.policy", "compact", "message.timestamp.type", "CreateTime",
            "min.cleanable.dirty.ratio", "0.01", "segment.ms", "1000"));
        wanted.put("kinds-changelog", Map.of("cleanup.policy", "compact", "message.timestamp.type", "CreateTime"));
        long kept = WordCount.WINDOW.toMillis() + Duration.ofHours(1).toMillis() + Duration.ofDays(1).toMillis();
        wanted.put("windows-changelog", Map.of("cleanup.policy", "compact,delete", "retention.ms", "" + kept));
        try (Admin admin = Admin.create(clients())) {
            same("topics", wanted.keySet().stream().map(it -> APPLICATION + "-" + it).sorted().toList(), made(admin));
            Function<String, ConfigResource> topic =
                name -> new ConfigResource(ConfigResource.Type.TOPIC, APPLICATION + "-" + name);
            Map<ConfigResource, Config> all =
                admin.describeConfigs(wanted.keySet().stream().map(topic).toList()).all().get();
            wanted.forEach((name, settings) -> settings.forEach((setting, value) ->
                same(name + ": " + setting, value, all.get(topic.apply(name)).get(setting).value())));
        }
    }

    void purged() throws Exception {
        var partitions = IntStream.range(0, PARTITIONS)
            .mapToObj(at -> new TopicPartition(APPLICATION + "-words-repartition", at)).toList();
        try (Admin admin = Admin.create(clients())) {
            long until = System.currentTimeMillis() + PATIENCE_MS;
            while (true) {
                var starts = admin.listOffsets(partitions.stream()
                    .collect(Collectors.toMap(it -> it, it -> OffsetSpec.earliest()))).all().get();
                if (starts.values().stream().allMatch(it -> it.offset() > 0)) return;
                if (System.currentTimeMillis() > until) throw new AssertionError("nothing was deleted: " + starts);
            }
        }
    }

    static <T> void same(String what, Set<T> expected, Set<T> got) {
        Set<T> missing = new HashSet<>(expected);
        missing.removeAll(got);
        Set<T> wrong = new HashSet<>(got);
        wrong.removeAll(expected);
        if (!missing.isEmpty() || !wrong.isEmpty()) {
            throw new AssertionError(what + "\nmissing: " + missing + "\n  wrong: " + wrong);
        }
    }

    static void same(String what, Object expected, Object got) {
        if (!expected.equals(got)) throw new AssertionError(what + "\nexpected: " + expected + "\n     got: " + got);
    }
}
