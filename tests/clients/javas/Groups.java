import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.errors.RebalanceInProgressException;

/** Members that come and go. */
class Groups {
    /** A consumer with a thread of its own, which commits what it was given. */
    static class Member extends Thread implements AutoCloseable {
        final Set<Integer> seen = new ConcurrentSkipListSet<>();
        private final KafkaConsumer<String, String> consumer;
        private volatile boolean stopping;
        private volatile RuntimeException failed;

        Member(String group, String topic, Class<?> assignor) {
            consumer = Client.consumer(Map.of("group.id", group, "partition.assignment.strategy", assignor.getName(),
                    "heartbeat.interval.ms", "300", "session.timeout.ms", "10000"));
            consumer.subscribe(List.of(topic));
            start();
        }

        @Override
        public void run() {
            try {
                while (!stopping) {
                    consumer.poll(Duration.ofMillis(50)).forEach(record -> seen.add(Integer.parseInt(record.value())));
                    try {
                        consumer.commitSync();
                    } catch (RebalanceInProgressException | CommitFailedException moving) {
                        // Partitions move: a member reads on, and commits once they have. A client before 2.5 that was
                        // late for the answer of its group is told that the group is at its next generation.
                    }
                }
            } catch (RuntimeException error) {
                failed = error;
            } finally {
                consumer.close();
            }
        }

        @Override
        public void close() throws InterruptedException {
            stopping = true;
            join();
            if (failed != null) throw failed;
        }
    }

    static void shareAndTakeOver() throws Exception {
        for (Class<?> assignor : Era.ASSIGNORS) {
            String topic = Client.topic(assignor.getSimpleName(), 4);
            String group = Client.prefix + assignor.getSimpleName();
            try (KafkaProducer<String, String> producer = Client.producer(Map.of());
                    Member second = new Member(group, topic, assignor)) {
                try (Member first = new Member(group, topic, assignor)) {
                    Client.eventually("each one has half", () -> shares(group).equals(List.of(2, 2)));
                    Client.send(producer, topic, 0, 200);
                    Client.eventually("all records", () -> together(first, second) == 200);
                }
                Client.eventually("the second one has all", () -> shares(group).equals(List.of(4)));
                Client.send(producer, topic, 200, 300);
                Client.eventually("the rest", () -> rest(second) == 100);
            }
        }
    }

    static int together(Member first, Member second) {
        Set<Integer> all = new TreeSet<>(first.seen);
        all.addAll(second.seen);
        return all.size();
    }

    static long rest(Member member) {
        return member.seen.stream().filter(n -> n >= 200).count();
    }

    /** How many partitions each member has, by DescribeGroups. */
    static List<Integer> shares(String group) throws Exception {
        List<Integer> shares = new ArrayList<>();
        ConsumerGroupDescription told = Client.admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        for (MemberDescription member : told.members()) shares.add(member.assignment().topicPartitions().size());
        return shares;
    }
}
