// Transactions: commit, abort, offsets in a transaction, fencing, and what read_committed is given.
const assert = require('node:assert/strict')
const test = require('node:test')
const { adminOf, fresh, lacks, memberOf, producerOf, retried, topicOf, until, values } = require('./support')

const ADD_PARTITIONS_TO_TXN = 24
const transactional = (t, transactionalId = fresh()) =>
  producerOf(t, { transactionalId, idempotent: true, maxInFlightRequests: 1, retry: { retries: 5 } })
const check = (name, run) =>
  test(name, async (t) => ((await lacks(t, ADD_PARTITIONS_TO_TXN, 'AddPartitionsToTxn')) ? undefined : run(t)))

async function read(t, topic, last, readUncommitted) {
  const member = await memberOf(t, fresh(), topic, { readUncommitted })
  await until(`the message "${last}"`, () => values(member.messages).includes(last))
  return values(member.messages)
}

check('what is committed is read, what is aborted is not', async (t) => {
  const topic = await topicOf(await adminOf(t))
  const producer = await transactional(t)
  for (const [value, end] of [['one', 'commit'], ['two', 'abort'], ['three', 'commit']]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value }] })
    await transaction.send({ topic, messages: [{ value: `${value} more` }] })
    await transaction[end]()
  }
  assert.deepEqual(await read(t, topic, 'three more', false), ['one', 'one more', 'three', 'three more'])
  assert.equal((await read(t, topic, 'three more', true)).length, 6)
})

check('an open transaction holds read_committed back, and nothing else', async (t) => {
  const topic = await topicOf(await adminOf(t))
  const producer = await transactional(t)
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ value: 'open' }] })
  const plain = await producerOf(t)
  await plain.send({ topic, messages: [{ value: 'after' }] })
  const committed = await memberOf(t, fresh(), topic)
  assert.deepEqual(await read(t, topic, 'after', true), ['open', 'after'])
  let fetches = 0
  committed.consumer.on(committed.consumer.events.FETCH, () => fetches++)
  await until('fetches that bring nothing', () => fetches >= 3)
  assert.deepEqual(values(committed.messages), [])
  await transaction.commit()
  await until('both messages', () => committed.messages.length >= 2)
  assert.deepEqual(values(committed.messages), ['open', 'after'])
})

check('offsets are committed with their transaction, and only then', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin)
  const producer = await transactional(t)
  const consumerGroupId = fresh()
  const committed = async () => {
    const [{ partitions: [{ offset }] }] = await retried(() => admin.fetchOffsets({ groupId: consumerGroupId, topics: [topic] }))
    return offset
  }
  const move = async (offset) => {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: offset }] })
    await transaction.sendOffsets({ consumerGroupId, topics: [{ topic, partitions: [{ partition: 0, offset }] }] })
    return transaction
  }
  await (await move('5')).abort()
  assert.equal(await committed(), '-1')
  const open = await move('6')
  assert.equal(await committed(), '-1')
  await open.commit()
  await until('the committed offset', async () => (await committed()) === '6')
})

check('a consume-transform-produce loop takes each message once', async (t) => {
  const admin = await adminOf(t)
  const [source, sink] = [await topicOf(admin, 2), await topicOf(admin, 2)]
  const plain = await producerOf(t)
  await plain.send({ topic: source, messages: Array.from({ length: 100 }, (_, n) => ({ key: `${n}`, value: `${n}` })) })
  const producer = await transactional(t)
  const groupId = fresh()
  let batches = 0
  const eachBatch = async ({ batch: { partition, messages }, resolveOffset }) => {
    const transaction = await producer.transaction()
    const doubled = messages.map(({ key, value }) => ({ key, value: `${2 * Number(value)}` }))
    await transaction.send({ topic: sink, messages: doubled })
    if (batches++ === 0) {
      await transaction.abort()
      throw new Error('the first batch fails once')
    }
    const offset = `${Number(messages.at(-1).offset) + 1}`
    await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic: source, partitions: [{ partition, offset }] }] })
    await transaction.commit()
    resolveOffset(messages.at(-1).offset)
  }
  await memberOf(t, groupId, source, {}, { autoCommit: false, eachMessage: undefined, eachBatch })
  const out = await memberOf(t, fresh(), sink)
  await until('all results', () => new Set(values(out.messages)).size === 100)
  assert.deepEqual(values(out.messages).map(Number).sort((one, other) => one - other), Array.from({ length: 100 }, (_, n) => 2 * n))
})

check('a second producer with the same id fences the first one', async (t) => {
  const topic = await topicOf(await adminOf(t))
  const id = fresh()
  const first = await transactional(t, id)
  const transaction = await first.transaction()
  await transaction.send({ topic, messages: [{ value: 'of the first' }] })
  const second = await transactional(t, id)
  const later = await second.transaction()
  await later.send({ topic, messages: [{ value: 'of the second' }] })
  await later.commit()
  const refused = await transaction.commit().then(() => null, (error) => error)
  assert.match(`${refused?.type}`, /^(PRODUCER_FENCED|INVALID_PRODUCER_EPOCH)$/)
  assert.deepEqual(await read(t, topic, 'of the second', false), ['of the second'])
})
