// What the tests share: where the broker is, fresh names, clients that end with their test.
const net = require('node:net')
const { setTimeout: pause } = require('node:timers/promises')
const { Kafka, logLevel } = require('kafkajs')

const MS_MAX = 30_000
const [host, port] = process.env.BOOTSTRAP.split(':')
const kafka = new Kafka({ clientId: 'brooklet-js', brokers: [process.env.BOOTSTRAP], logLevel: logLevel.NOTHING })
let names = 0

/** A name that no other test, and no other run on the same broker, has used. */
const fresh = () => `js-${process.pid}-${Date.now()}-${names++}`

/** Connects, and disconnects when the test ends. */
async function use(t, client) {
  t.after(() => client.disconnect())
  await client.connect()
  return client
}

const adminOf = (t) => use(t, kafka.admin())
const producerOf = (t, options) => use(t, kafka.producer(options))

/** Makes a topic that every metadata request knows: KafkaJS's own wait gives up at an unknown one. */
async function topicOf(admin, numPartitions = 1, configEntries = []) {
  const topic = fresh()
  await admin.createTopics({
    waitForLeaders: false, topics: [{ topic, numPartitions, replicationFactor: 1, configEntries }],
  })
  await retried(() => admin.fetchTopicMetadata({ topics: [topic] }))
  return topic
}

/** Calls again while the error says that it may pass, which the admin client leaves to its user. */
async function retried(call) {
  const deadline = Date.now() + MS_MAX
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!error.retriable || Date.now() > deadline) throw error
      await pause(50)
    }
  }
}

/**
 * A member of a group that runs until the test ends: `messages` is what it was given, `partitions` what it was assigned
 * last, `joins` how often that was.
 */
async function memberOf(t, groupId, topic, options = {}, run = {}) {
  const consumer = kafka.consumer({
    groupId, sessionTimeout: 10_000, heartbeatInterval: 300, maxWaitTimeInMs: 100, ...options,
  })
  const member = { consumer, messages: [], partitions: [], joins: 0 }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member.partitions = payload.memberAssignment[topic] ?? []
    member.joins += 1
  })
  await use(t, consumer)
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      member.messages.push({ partition, ...message })
    },
    ...run,
  })
  return member
}

const values = (messages) => messages.map(({ value }) => value?.toString() ?? null)

async function until(what, condition) {
  const deadline = Date.now() + MS_MAX
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not come to be: ${what}`)
    await pause(20)
  }
}

/**
 * Waits until so many different messages have come to the members. KafkaJS promises each one at least once: a request
 * that it sends again may double some, so their number says nothing.
 */
async function seen(count, ...members) {
  const found = () => new Set(members.flatMap(({ messages }) => values(messages)))
  const state = () => members.map(({ messages, partitions, joins }) => `${messages.length} on [${partitions}], ${joins} joins`)
  await until(`${count} different messages`, () => found().size >= count).catch((error) => {
    throw new Error(`${error.message}: ${found().size}; ${state().join('; ')}`)
  })
  return [...found()].map(Number).sort((one, other) => one - other)
}

/** The keys of the APIs that the broker advertises, by an ApiVersions request of version 0. */
function advertised() {
  const request = Buffer.alloc(14)
  request.writeInt32BE(10, 0)
  request.writeInt16BE(18, 4)
  request.writeInt16BE(-1, 12)
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), host, () => socket.write(request))
    let answer = Buffer.alloc(0)
    socket.on('error', reject)
    socket.on('data', (data) => {
      answer = Buffer.concat([answer, data])
      if (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) return
      socket.destroy()
      const keys = new Set()
      for (let n = 0; n < answer.readInt32BE(10); n++) keys.add(answer.readInt16BE(14 + 6 * n))
      resolve(keys)
    })
  })
}

/** Skips the test, and says why, where the broker does not advertise an API. */
async function lacks(t, key, name) {
  if ((await advertised()).has(key)) return false
  t.skip(`the broker does not advertise ${name} (${key})`)
  return true
}

module.exports = { adminOf, fresh, lacks, memberOf, producerOf, retried, seen, topicOf, until, values }
