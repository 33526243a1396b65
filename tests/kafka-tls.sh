#!/bin/sh
# The tests with a real Kafka once more, over TLS and SASL/SCRAM: a broker of its own, with a certificate of its own making, and the feature
# `kafka-tls` (which needs the system's OpenSSL with headers). Not part of `make test`: librdkafka is built once more for it.
# Needs SOUK_TEST_DATABASE_URL, and the jars that `souk kafka start` fetches.
set -eu
cd "$(git rev-parse --show-toplevel)"
jars=$(ls -d "${XDG_CACHE_HOME:-$HOME/.cache}"/souk/kafka-[0-9]*[0-9] | tail -1)
place=$(mktemp -d)
broker=
# Everything goes with it, also when a test fails.
trap '[ -z "$broker" ] || kill "$broker" 2>/dev/null; wait 2>/dev/null || true; rm -rf "$place"' EXIT
trap 'exit 1' INT TERM

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) controller=$(free_port)
secret=$(openssl rand -hex 16)

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=souk tests" -keyout "$place/ca.key" -out "$place/ca.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout "$place/broker.key" -out "$place/broker.csr" 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >"$place/names"
openssl x509 -req -in "$place/broker.csr" -CA "$place/ca.pem" -CAkey "$place/ca.key" -CAcreateserial -days 2 \
	-extfile "$place/names" -out "$place/broker.pem" 2>/dev/null
openssl pkcs12 -export -in "$place/broker.pem" -inkey "$place/broker.key" -passout "pass:$secret" -out "$place/broker.p12"

cat >"$place/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=SASL_SSL://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=SASL_SSL://127.0.0.1:$port
controller.listener.names=CONTROLLER
inter.broker.listener.name=SASL_SSL
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="souk" password="$secret";
ssl.keystore.type=PKCS12
ssl.keystore.location=$place/broker.p12
ssl.keystore.password=$secret
ssl.truststore.type=PEM
ssl.truststore.location=$place/ca.pem
log.dirs=$place/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
PROPERTIES
run() { exec java -Xmx256m -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$jars/*" "$@"; }
( run kafka.tools.StorageTool format -t "$(openssl rand -base64 16 | tr '+/' '-_' | tr -d =)" -c "$place/server.properties" \
	--add-scram "SCRAM-SHA-512=[name=souk,password=$secret]" ) >"$place/format.log" 2>&1 || { cat "$place/format.log"; exit 1; }
run kafka.Kafka "$place/server.properties" >"$place/broker.log" 2>&1 &
broker=$!

# What whoever runs Souk writes into KAFKA_PROPERTIES_FILE.
cat >"$place/client.properties" <<PROPERTIES
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.username=souk
sasl.password=$secret
ssl.ca.location=$place/ca.pem
PROPERTIES

SOUK_TEST_KAFKA_BROKERS="127.0.0.1:$port" SOUK_TEST_KAFKA_PROPERTIES="$place/client.properties" \
	cargo test --workspace --features souk-event-bus/kafka-tls --test kafka || { tail -20 "$place/broker.log"; exit 1; }
