import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** `Mirrored SOURCE TARGET STEP`: what goes into the source, and what must then be in the target. */
public class Mirrored {
    static final String TOPIC = "mirror-records";
    static final String COPY = "source." + TOPIC;
    static final int PARTITIONS = 3;
    static final long SECONDS_MAX = 90;
    static String source;
    static String target;

    public static void main(String[] args) throws Exception {
        source = args[0];
        target = args[1];
        switch (args[2]) {
            case "create" -> create();
            case "feed" -> feed(Integer.parseInt(args[3]), Integer.parseInt(args[4]));
            case "compare" -> compare(Integer.parseInt(args[3]));
            case "settings" -> settings();
            case "widen" -> widen();
            case "groups" -> groups();
            case "own" -> own();
            default -> throw new IllegalArgumentException(args[2]);
        }
    }

    static void create() throws Exception {
        try (Admin admin = admin(source)) {
            admin.createTopics(List.of(
                    new NewTopic(TOPIC, PARTITIONS, (short) 1).configs(Map.of("retention.ms", "7200000", "max.message.bytes", "123456")),
                    new NewTopic("mirror-compacted", 1, (short) 1).configs(Map.of("cleanup.policy", "compact")))).all().get();
        }
    }

    /** Numbers in transactions of 50, after every fourth one that is aborted. */
    static void feed(int from, int to) {
        Map<String, Object> settings = Map.of("bootstrap.servers", source, "transactional.id", "mirror-feed", "compression.type", "lz4");
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            for (int start = from; start < to; start += 50) {
                producer.beginTransaction();
                for (int n = start; n < start + 50; n++) producer.send(record("" + n, n));
                producer.commitTransaction();
                if (start % 200 == 0) {
                    producer.beginTransaction();
                    producer.send(record("aborted", start));
                    producer.flush();
                    producer.abortTransaction();
                }
            }
        }
    }

    static ProducerRecord<String, String> record(String text, int n) {
        ProducerRecord<String, String> record = new ProducerRecord<>(TOPIC, n % PARTITIONS, System.currentTimeMillis(), "k" + n, text);
        record.headers().add("n", text.getBytes());
        return record;
    }

    /** The copy has the committed records of the source, a partition as the other, each once. */
    static void compare(int count) throws Exception {
        Map<Integer, List<String>> expected = read(source, TOPIC, count);
        Map<Integer, List<String>> got = read(target, COPY, count);
        if (!expected.equals(got)) throw new AssertionError("expected " + expected + "\ngot " + got);
        int records = expected.values().stream().mapToInt(List::size).sum();
        if (records != count) throw new AssertionError(records + " records");
    }

    /** Until so many records are there, and the end of what is there then. */
    static Map<Integer, List<String>> read(String bootstrap, String topic, int count) throws Exception {
        Map<Integer, List<String>> found = new TreeMap<>();
        try (KafkaConsumer<String, String> consumer = consumer(bootstrap, null)) {
            List<TopicPartition> partitions = partitions(topic);
            eventually(count + " records of " + topic, () -> {
                try (Admin admin = admin(bootstrap)) {
                    return admin.listTopics().names().get().contains(topic);
                }
            });
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            int[] records = new int[1];
            eventually(count + " records of " + topic, () -> {
                records[0] += take(consumer, found);
                return records[0] >= count;
            });
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            eventually("the end of " + topic, () -> {
                take(consumer, found);
                return partitions.stream().allMatch(each -> consumer.position(each) >= ends.get(each));
            });
        }
        return found;
    }

    static int take(KafkaConsumer<String, String> consumer, Map<Integer, List<String>> into) {
        int count = 0;
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
            StringBuilder text = new StringBuilder(record.key() + "=" + record.value() + "@" + record.timestamp());
            for (Header header : record.headers()) text.append(' ').append(header.key()).append(new String(header.value()));
            into.computeIfAbsent(record.partition(), none -> new ArrayList<>()).add(text.toString());
            count++;
        }
        return count;
    }

    static void settings() throws Exception {
        try (Admin admin = admin(target)) {
            eventually("settings", () -> {
                Config records = config(admin, COPY);
                return records.get("retention.ms").value().equals("7200000")
                        && records.get("max.message.bytes").value().equals("123456")
                        && config(admin, "source.mirror-compacted").get("cleanup.policy").value().equals("compact");
            });
            try (Admin from = admin(source)) {
                from.incrementalAlterConfigs(Map.of(resource(TOPIC), List.of(new AlterConfigOp(
                        new ConfigEntry("retention.ms", "7300000"),
                        AlterConfigOp.OpType.SET)))).all().get();
            }
            eventually("a setting that was changed", () -> config(admin, COPY).get("retention.ms").value().equals("7300000"));
        }
    }

    static ConfigResource resource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    static Config config(Admin admin, String topic) throws Exception {
        return admin.describeConfigs(Set.of(resource(topic))).all().get().get(resource(topic));
    }

    static void widen() throws Exception {
        try (Admin from = admin(source); Admin to = admin(target)) {
            from.createPartitions(Map.of("mirror-compacted", NewPartitions.increaseTo(4))).all().get();
            String copy = "source.mirror-compacted";
            eventually("four partitions", () -> to.describeTopics(Set.of(copy)).allTopicNames().get().get(copy).partitions().size() == 4);
        }
    }

    /**
     * A group that has read all of the source reads on in the copy with what comes next, and no more; one that has read
     * half of it has missed nothing.
     */
    static void groups() throws Exception {
        commit("mirror-at-the-end", 1.0);
        commit("mirror-half-way", 0.5);
        try (Admin to = admin(target)) {
            for (String group : List.of("mirror-at-the-end", "mirror-half-way")) {
                eventually("offsets of " + group, () -> committed(to, group).keySet().containsAll(partitions(COPY)));
            }
            Map<TopicPartition, Long> half = committed(admin(source), "mirror-half-way");
            eventually("the end of the copy", () -> rest("mirror-at-the-end").isEmpty());
            int left = rest("mirror-half-way").values().stream().mapToInt(List::size).sum();
            int all = read(target, COPY, 1).values().stream().mapToInt(List::size).sum();
            if (left < all / 2) throw new AssertionError(left + " of " + all + " records are left after " + half);
        }
    }

    /** Commits in the source how much of each partition was read. */
    static void commit(String group, double part) {
        try (KafkaConsumer<String, String> consumer = consumer(source, group)) {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            consumer.endOffsets(partitions(TOPIC)).forEach((each, end) -> offsets.put(each, new OffsetAndMetadata((long) (end * part))));
            consumer.commitSync(offsets);
        }
    }

    static Map<TopicPartition, Long> committed(Admin admin, String group) throws Exception {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().forEach((each, at) -> {
            if (at != null) offsets.put(each, at.offset());
        });
        return offsets;
    }

    /** What the group has not read of the copy. */
    static Map<Integer, List<String>> rest(String group) throws Exception {
        Map<Integer, List<String>> found = new TreeMap<>();
        List<TopicPartition> partitions = partitions(COPY);
        try (KafkaConsumer<String, String> consumer = consumer(target, group)) {
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            eventually("the end", () -> {
                take(consumer, found);
                return partitions.stream().allMatch(each -> consumer.position(each) >= ends.get(each));
            });
        }
        return found;
    }

    /** Its own topics: compacted where they hold states, with the partitions that it asks for. */
    static void own() throws Exception {
        try (Admin to = admin(target); Admin from = admin(source)) {
            for (String topic : List.of("mm2-configs.source.internal", "mm2-offsets.source.internal", "mm2-status.source.internal",
                    "source.checkpoints.internal")) {
                if (!config(to, topic).get("cleanup.policy").value().equals("compact")) throw new AssertionError(topic);
            }
            int offsets = to.describeTopics(Set.of("mm2-offsets.source.internal")).allTopicNames().get().values().iterator().next()
                    .partitions().size();
            if (offsets != 25) throw new AssertionError(offsets + " partitions of offsets");
            if (!from.listTopics().names().get().contains("mm2-offset-syncs.target.internal")) throw new AssertionError("offset syncs");
            eventually("heartbeats come", () -> {
                try (KafkaConsumer<String, String> consumer = consumer(target, null)) {
                    TopicPartition heartbeats = new TopicPartition("heartbeats", 0);
                    return consumer.endOffsets(List.of(heartbeats)).get(heartbeats) > 0;
                }
            });
        }
    }

    static List<TopicPartition> partitions(String topic) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (int p = 0; p < PARTITIONS; p++) partitions.add(new TopicPartition(topic, p));
        return partitions;
    }

    static Admin admin(String bootstrap) {
        return Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    static KafkaConsumer<String, String> consumer(String bootstrap, String group) {
        Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed",
                "enable.auto.commit", "false", "auto.offset.reset", "earliest"));
        if (group != null) settings.put("group.id", group);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    static void eventually(String what, Callable<Boolean> holds) throws Exception {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
        while (!holds.call()) {
            if (System.nanoTime() > until) throw new AssertionError("did not come to be: " + what);
            Thread.sleep(50);
        }
    }
}
