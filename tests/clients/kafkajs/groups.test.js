// Producers and consumer groups: gzip, keys and headers, two members and a rebalance, commits, seek, pause.
const assert = require('node:assert/strict')
const test = require('node:test')
const { CompressionTypes } = require('kafkajs')
const { adminOf, fresh, memberOf, producerOf, seen, topicOf, until, values } = require('./support')

const numbered = (from, to) => Array.from({ length: to - from }, (_, n) => ({ key: `k${from + n}`, value: `${from + n}` }))
const sorted = (messages) => values(messages).map(Number).sort((one, other) => one - other)
const range = (to) => Array.from({ length: to }, (_, n) => n)

test('gzip, keys, headers, nulls and timestamps come back as they went', async (t) => {
  const topic = await topicOf(await adminOf(t))
  const producer = await producerOf(t)
  const value = 'gzip '.repeat(1000)
  const [{ baseOffset }] = await producer.send({
    topic,
    compression: CompressionTypes.GZIP,
    messages: [
      { key: 'k', value, timestamp: '1234567', headers: { trace: ['x1', 'x2'] } },
      { key: 'gone', value: null },
      { value: 'no key' },
    ],
  })
  assert.equal(baseOffset, '0')
  const { messages } = await memberOf(t, fresh(), topic).then(async (member) => {
    await until('three messages', () => member.messages.length >= 3)
    return member
  })
  assert.deepEqual(values(messages), [value, null, 'no key'])
  assert.deepEqual(messages.map(({ key }) => key?.toString() ?? null), ['k', 'gone', null])
  assert.deepEqual(messages.map(({ offset }) => offset), ['0', '1', '2'])
  assert.equal(messages[0].timestamp, '1234567')
  assert.deepEqual(messages[0].headers.trace.map(String), ['x1', 'x2'])
})

test('acks 0, 1 and all, and an idempotent producer', async (t) => {
  const topic = await topicOf(await adminOf(t))
  const producer = await producerOf(t)
  for (const acks of [0, 1, -1]) await producer.send({ topic, acks, messages: [{ value: `acks ${acks}` }] })
  const once = await producerOf(t, { idempotent: true })
  for (let n = 0; n < 20; n++) await once.send({ topic, messages: numbered(100 * n, 100 * n + 100) })
  const member = await memberOf(t, fresh(), topic)
  await until('all messages', () => member.messages.length >= 2003)
  assert.deepEqual(sorted(member.messages.filter(({ key }) => key)), range(2000))
})

test('two members share, and the first one takes back; nothing is lost', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin, 4)
  const producer = await producerOf(t)
  const groupId = fresh()
  const first = await memberOf(t, groupId, topic)
  await until('the first member has all', () => first.partitions.length === 4)
  await producer.send({ topic, messages: numbered(0, 200) })
  await seen(200, first)
  const second = await memberOf(t, groupId, topic)
  await until('both have half', () => first.partitions.length === 2 && second.partitions.length === 2)
  assert.deepEqual([...first.partitions, ...second.partitions].sort(), [0, 1, 2, 3])
  await producer.send({ topic, messages: numbered(200, 400) })
  await seen(400, first, second)
  assert.ok(second.messages.length > 0)
  await second.consumer.disconnect()
  await until('the first member has all again', () => first.partitions.length === 4)
  await producer.send({ topic, messages: numbered(400, 500) })
  assert.deepEqual(await seen(500, first, second), range(500))
})

test('a second run of a group goes on where the first one stopped', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin, 2)
  const producer = await producerOf(t)
  const groupId = fresh()
  await producer.send({ topic, messages: numbered(0, 100) })
  const first = await memberOf(t, groupId, topic)
  await seen(100, first)
  await first.consumer.disconnect()
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.equal(partitions.reduce((sum, { offset }) => sum + Number(offset), 0), 100)
  await producer.send({ topic, messages: [{ value: 'later' }] })
  const second = await memberOf(t, groupId, topic)
  await until('the second run', () => second.messages.length > 0)
  assert.deepEqual(values(second.messages), ['later'])
})

test('offsets committed by hand keep their metadata', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin)
  const groupId = fresh()
  const member = await memberOf(t, groupId, topic, {}, { autoCommit: false })
  await until('the member has all', () => member.partitions.length === 1)
  await member.consumer.commitOffsets([{ topic, partition: 0, offset: '7', metadata: 'what I was doing' }])
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] })
  assert.deepEqual({ ...partitions[0] }, { partition: 0, offset: '7', metadata: 'what I was doing' })
})

test('seek goes back and forth, and out of range starts anew', async (t) => {
  const topic = await topicOf(await adminOf(t))
  const producer = await producerOf(t)
  await producer.send({ topic, messages: numbered(0, 10) })
  const member = await memberOf(t, fresh(), topic, {}, { autoCommit: false })
  const seek = async (offset, expected) => {
    member.messages.length = 0
    member.consumer.seek({ topic, partition: 0, offset })
    await until(`messages from ${offset}`, () => member.messages.at(-1)?.offset === '9')
    assert.deepEqual(sorted(member.messages), expected)
  }
  await until('all messages', () => member.messages.length >= 10)
  await seek('7', [7, 8, 9])
  await seek('2', [2, 3, 4, 5, 6, 7, 8, 9])
  await seek('500', range(10))
})

test('a paused topic brings nothing until it is resumed', async (t) => {
  const topic = await topicOf(await adminOf(t))
  const producer = await producerOf(t)
  await producer.send({ topic, messages: numbered(0, 10) })
  const member = await memberOf(t, fresh(), topic)
  await until('all messages', () => member.messages.length >= 10)
  member.consumer.pause([{ topic }])
  await producer.send({ topic, messages: numbered(10, 20) })
  const fetches = []
  member.consumer.on(member.consumer.events.HEARTBEAT, () => fetches.push(member.messages.length))
  await until('heartbeats while paused', () => fetches.length >= 2)
  assert.equal(member.messages.length, 10)
  member.consumer.resume([{ topic }])
  await until('the rest', () => member.messages.length >= 20)
  assert.deepEqual(sorted(member.messages), range(20))
})
