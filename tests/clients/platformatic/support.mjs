// What the tests share: where the broker is, fresh names, clients that end with their test.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'

const MS_MAX = 30_000
const base = { clientId: 'brooklet-platformatic', bootstrapBrokers: [process.env.BOOTSTRAP], retryDelay: 50, retries: 100 }
let names = 0

/** A name that no other test, and no other run on the same broker, has used. */
export const fresh = () => `plt-${process.pid}-${Date.now()}-${names++}`

/** Closes the client when the test ends. */
function use(t, client) {
  // By force only a consumer is closed, which then need not have closed its streams.
  t.after(() => client instanceof Consumer ? client.close(true) : client.close())
  return client
}

/** Without retries: what is refused is told at once. */
export const adminOf = (t) => use(t, new Admin({ ...base, retries: 0 }))
export const producerOf = (t, options = {}) => use(t, new Producer({ ...base, serializers: stringSerializers, ...options }))
export const consumerOf = (t, groupId, options = {}) => use(t, new Consumer({
  ...base, groupId, deserializers: stringDeserializers, sessionTimeout: 10_000, heartbeatInterval: 300, maxWaitTime: 100,
  autocommit: false, ...options,
}))

/** Makes a topic, and waits until the broker leads it. */
export async function topicOf(t, partitions = 1, configs = []) {
  const [admin, topic] = [adminOf(t), fresh()]
  await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs })
  const wanted = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }))
  await until('the topic is led', () => admin.listOffsets({ topics: [{ name: topic, partitions: wanted }] }).then(() => true, () => false))
  return topic
}

/** A reader of the topics, which commits each message once it has it, until the test ends or it leaves. */
export async function memberOf(t, groupId, topics, options = {}) {
  const consumer = consumerOf(t, groupId, options)
  const stream = await consumer.consume({ topics, mode: 'committed', fallbackMode: 'earliest' })
  const member = { consumer, messages: [], failed: null }
  stream.on('error', (error) => { member.failed = error })
  stream.on('data', (message) => {
    member.messages.push(message)
    // Refused while partitions move: then it is given again.
    message.commit()?.catch?.(() => {})
  })
  member.leave = async () => {
    await stream.close()
    await consumer.close(true)
  }
  return member
}

/** The topic from its start, until so many messages came. */
export async function read(t, topic, count, isolationLevel = 0) {
  const stream = await consumerOf(t, fresh(), { isolationLevel }).consume({ topics: [topic], mode: 'earliest' })
  const found = []
  stream.on('data', (message) => found.push(message))
  await until(`${count} messages`, () => found.length >= count)
  await stream.close()
  assert.equal(found.length, count)
  return found
}

export const values = (messages) => messages.map(({ value }) => value)
export const range = (from, to) => Array.from({ length: to - from }, (_, n) => from + n)
export const numbered = (topic, from, to) => range(from, to).map((n) => ({ topic, key: `${n}`, value: `${n}` }))

/** The different numbers that came to the members, sorted. */
export function together(...members) {
  for (const { failed } of members) assert.equal(failed, null)
  return [...new Set(members.flatMap(({ messages }) => values(messages).map(Number)))].sort((one, other) => one - other)
}

export async function until(what, condition) {
  const deadline = Date.now() + MS_MAX
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not come to be: ${what}`)
    await pause(20)
  }
}

/** Kafka's names of the errors in what was thrown. */
export async function refused(call) {
  try {
    await call()
  } catch (error) {
    const flat = (each) => [each, ...(each.errors ?? []).flatMap(flat)]
    return flat(error).map(({ apiId }) => apiId).filter(Boolean)
  }
  return []
}
