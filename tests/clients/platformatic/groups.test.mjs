// Producers and consumer groups: codecs, keys and headers, two members and a rebalance, commits, transactions.
import assert from 'node:assert/strict'
import test from 'node:test'
import zlib from 'node:zlib'
import { adminOf, consumerOf, fresh, memberOf, numbered, producerOf, range, read, together, topicOf, until, values } from './support.mjs'

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`${compression}: keys, headers, nulls and timestamps come back as they went`, async (t) => {
    if (compression === 'zstd' && !zlib.zstdCompressSync) return t.skip('this Node.js has no zstd')
    const topic = await topicOf(t)
    const producer = producerOf(t, { idempotent: true, compression })
    const first = { topic, key: 'k', value: 'first', headers: { trace: 'x1', other: 'x2' }, timestamp: 1234567n }
    const { offsets } = await producer.send({ messages: [first, { topic, key: 'gone' }] })
    assert.deepEqual(offsets, [{ topic, partition: 0, offset: 0n }])
    for (let n = 0; n < 5; n++) await producer.send({ messages: numbered(topic, 200 * n, 200 * n + 200) })
    const [got, gone, ...rest] = await read(t, topic, 1002)
    assert.deepEqual([got.key, got.value, got.timestamp, [...got.headers]], ['k', 'first', 1234567n, [['trace', 'x1'], ['other', 'x2']]])
    assert.deepEqual([gone.key, gone.value ?? null], ['gone', null])
    assert.deepEqual(values(rest).map(Number), range(0, 1000))
    assert.equal(rest.at(-1).offset, 1001n)
  })
}

test('acks 0, 1 and all, and a topic that is made by its first message', async (t) => {
  const [topic, producer] = [fresh(), producerOf(t, { autocreateTopics: true })]
  await producer.send({ messages: [{ topic, value: 'all' }], acks: -1 })
  for (const acks of [0, 1]) await producer.send({ messages: [{ topic, value: `${acks}` }], acks })
  assert.deepEqual(values(await read(t, topic, 3)), ['all', '0', '1'])
})

test('two members share, and the second one takes over; nothing is lost', async (t) => {
  const [admin, topic, group] = [adminOf(t), await topicOf(t, 4), fresh()]
  const producer = producerOf(t)
  const send = (from, to) => producer.send({ messages: numbered(topic, from, to) })
  const shares = async () => {
    const { state, members } = (await admin.describeGroups({ groups: [group] })).get(group)
    const counts = [...members.values()].map(({ assignments }) => assignments?.get(topic)?.partitions.length ?? 0)
    return `${state} ${counts.sort()}`
  }
  const first = await memberOf(t, group, [topic])
  await send(0, 100)
  await until('all messages', () => together(first).length === 100)
  const second = await memberOf(t, group, [topic])
  await until('each one has half', async () => (await shares()) === 'STABLE 2,2')
  await send(100, 200)
  await until('all messages', () => together(first, second).length === 200)
  await first.leave()
  await until('the second one has all', async () => (await shares()) === 'STABLE 4')
  await send(200, 300)
  await until('all messages', () => together(first, second).length === 300)
  assert.deepEqual(together(second).slice(-100), range(200, 300))
})

test('a second run goes on where the first stopped', async (t) => {
  const [topic, group, producer] = [await topicOf(t), fresh(), producerOf(t)]
  await producer.send({ messages: numbered(topic, 0, 50) })
  const first = await memberOf(t, group, [topic])
  await until('the first run', () => together(first).length === 50)
  const consumer = consumerOf(t, group)
  await until('the commit', async () => (await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] })).get(topic)[0] === 50n)
  await first.leave()
  await producer.send({ messages: numbered(topic, 50, 51) })
  const second = await memberOf(t, group, [topic])
  await until('the second run', () => second.messages.length > 0)
  assert.deepEqual(together(second), [50])
})

test('a transaction is read when it is committed, and never when it is aborted', async (t) => {
  const topic = await topicOf(t)
  const producer = producerOf(t, { idempotent: true, transactionalId: fresh() })
  for (const [from, end] of [[0, 'commit'], [10, 'abort'], [20, 'commit']]) {
    const transaction = await producer.beginTransaction()
    await transaction.send({ messages: numbered(topic, from, from + 10) })
    await transaction[end]()
  }
  assert.deepEqual(values(await read(t, topic, 20, 1)).map(Number), [...range(0, 10), ...range(20, 30)])
  assert.equal((await read(t, topic, 30)).length, 30)
})

test('the offset of what was read is committed with its transaction', async (t) => {
  const [source, sink, group] = [await topicOf(t), await topicOf(t), fresh()]
  await producerOf(t).send({ messages: numbered(source, 0, 10) })
  const consumer = consumerOf(t, group, { isolationLevel: 1 })
  const stream = await consumer.consume({ topics: [source], mode: 'earliest' })
  const found = []
  stream.on('data', (message) => found.push(message))
  await until('the messages', () => found.length === 10)
  const committed = async () => (await consumer.listCommittedOffsets({ topics: [{ topic: source, partitions: [0] }] })).get(source)[0]
  const producer = producerOf(t, { idempotent: true, transactionalId: fresh() })
  for (const [end, before, after] of [['abort', -1n, -1n], ['commit', -1n, 10n]]) {
    const transaction = await producer.beginTransaction()
    await transaction.addConsumer(consumer)
    await transaction.send({ messages: found.map(({ key, value }) => ({ topic: sink, key, value: `${2 * value}` })) })
    await transaction.addOffset(found.at(-1))
    assert.equal(await committed(), before)
    await transaction[end]()
    await until('the offset', async () => (await committed()) === after)
  }
  assert.deepEqual(values(await read(t, sink, 10, 1)).map(Number), range(0, 10).map((n) => 2 * n))
})
