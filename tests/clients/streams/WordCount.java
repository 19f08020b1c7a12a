import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;

/** Counts words, counts them by window, and joins them with a table, exactly once; one instance, until it is ended. */
public class WordCount {
    static final Serde<String> STRING = Serdes.String();
    static final Serde<Long> LONG = Serdes.Long();
    static final Duration WINDOW = Duration.ofSeconds(10);

    public static void main(String[] args) {
        KafkaStreams streams = new KafkaStreams(topology().build(), settings(args[0], args[1]));
        streams.setStateListener((now, before) -> System.out.println("state=" + now));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            throw new IllegalStateException(error);
        });
        Runtime.getRuntime().addShutdownHook(new Thread(
            () -> System.out.println("closed=" + streams.close(Duration.ofSeconds(30)))));
        streams.start();
    }

    /** A line's words, `WORD ID` each, go through one repartition topic to two counts and a join. */
    static StreamsBuilder topology() {
        StreamsBuilder builder = new StreamsBuilder();
        KTable<String, String> kinds = builder.table("streams-kinds", Consumed.with(STRING, STRING),
            Materialized.<String, String, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("kinds"));
        KStream<String, String> words = builder.stream("streams-lines", Consumed.with(STRING, STRING))
            .flatMap((key, line) -> Words.of(line))
            .repartition(Repartitioned.with(STRING, STRING).withName("words").withNumberOfPartitions(Words.PARTITIONS));
        words.groupByKey(Grouped.with(STRING, STRING))
            .count(Materialized.<String, Long, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("counts")
                .withLoggingEnabled(Map.of("min.cleanable.dirty.ratio", "0.01", "segment.ms", "1000")))
            .toStream().to("streams-counts", Produced.with(STRING, LONG));
        words.groupByKey(Grouped.with(STRING, STRING))
            .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW, Duration.ofHours(1)))
            .count(Materialized.<String, Long, WindowStore<org.apache.kafka.common.utils.Bytes, byte[]>>as("windows"))
            .toStream((window, count) -> window.key() + "@" + window.window().start())
            .to("streams-windows", Produced.with(STRING, LONG));
        words.join(kinds, (id, kind) -> kind + " " + id, Joined.with(STRING, STRING, STRING))
            .to("streams-joined", Produced.with(STRING, STRING));
        return builder;
    }

    static Properties settings(String bootstrap, String stateDir) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("application.id", Words.APPLICATION);
        settings.put("state.dir", stateDir);
        settings.put("processing.guarantee", "exactly_once_v2");
        settings.put("default.key.serde", STRING.getClass());
        settings.put("default.value.serde", STRING.getClass());
        settings.put("num.stream.threads", "2");
        settings.put("num.standby.replicas", "1");
        // Every change of a count is sent on, so that each can be looked for.
        settings.put("statestore.cache.max.bytes", "0");
        settings.put("repartition.purge.interval.ms", "500");
        // The shortest that a broker allows: an instance that was killed is missed this long.
        settings.put("session.timeout.ms", "6000");
        settings.put("heartbeat.interval.ms", "1000");
        return settings;
    }
}
