# What the suites on Apache Kafka 4.2's own jars share. Sourced, after lib.sh, in the suite's folder.
command -v java mvn > /dev/null || { echo "needs java and mvn"; exit 77; }
kafka=$CLIENTS_HOME/kafka-4.2.0-all
once "kafka-$(md5sum < ../kafka.pom.xml | cut -c1-8)" mvn -q -B -f ../kafka.pom.xml dependency:copy-dependencies -DoutputDirectory="$kafka"
unset JAVA_TOOL_OPTIONS
java=(java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto
  "-Dlog4j2.configurationFile=$(cd .. && pwd)/log4j2.properties" -cp "$WORK/classes:$kafka/*")

# compile: the suite's own programs.
compile() { javac -cp "$kafka/*" -d "$WORK/classes" "$here"/*.java; }

# tool CLASS ARG...: one of Kafka's own tools, or of the suite's.
tool() { timeout 200 "${java[@]}" "$@"; }
