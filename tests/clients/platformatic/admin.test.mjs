// Topics, settings, offsets, groups and quotas through the admin client, and the errors of what cannot be.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes as Op } from '@platformatic/kafka'
import { adminOf, fresh, memberOf, numbered, producerOf, refused, topicOf, together, until } from './support.mjs'

test('a topic is listed and deleted, and what cannot be has its error', async (t) => {
  const [admin, topic] = [adminOf(t), await topicOf(t, 3)]
  assert.ok((await admin.listTopics()).includes(topic))
  const create = (name, more = {}) => refused(() => admin.createTopics({ topics: [name], partitions: 1, replicas: 1, ...more }))
  assert.deepEqual(await create(topic), ['TOPIC_ALREADY_EXISTS'])
  assert.deepEqual(await create('no/good'), ['INVALID_TOPIC_EXCEPTION'])
  assert.deepEqual(await create(fresh(), { replicas: 7 }), ['INVALID_REPLICATION_FACTOR'])
  assert.deepEqual(await create(fresh(), { configs: [{ name: 'retention.ms', value: 'soon' }] }), ['INVALID_CONFIG'])
  await admin.deleteTopics({ topics: [topic] })
  await until('it is gone', async () => !(await admin.listTopics()).includes(topic))
  assert.deepEqual(await refused(() => admin.deleteTopics({ topics: [topic] })), ['UNKNOWN_TOPIC_OR_PARTITION'])
})

test('settings are told, with what they would be else, and altered', async (t) => {
  const [admin, topic] = [adminOf(t), await topicOf(t, 1, [{ name: 'cleanup.policy', value: 'compact' }])]
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }
  const setting = async (name) => {
    const [{ configs }] = await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: [name] }], includeSynonyms: true })
    return [configs[0].value, ...configs[0].synonyms.map((each) => `${each.name}=${each.value}`)].join(' ')
  }
  const alter = (name, configOperation, value) =>
    admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [{ name, configOperation, value }] }] })
  assert.equal(await setting('cleanup.policy'), 'compact cleanup.policy=compact log.cleanup.policy=delete')
  await alter('cleanup.policy', Op.APPEND, 'delete')
  await until('both', async () => (await setting('cleanup.policy')).startsWith('compact,delete '))
  await alter('cleanup.policy', Op.DELETE, null)
  await until('the default', async () => (await setting('cleanup.policy')) === 'delete log.cleanup.policy=delete')
  assert.deepEqual(await refused(() => alter('retention.ms', Op.SET, 'soon')), ['INVALID_CONFIG'])
})

test('offsets by time and after records were deleted, and the size of a log', async (t) => {
  const [admin, topic] = [adminOf(t), await topicOf(t)]
  const messages = [1000n, 5000n, 3000n].map((timestamp) => ({ topic, value: 'v', timestamp }))
  await producerOf(t).send({ messages })
  const found = async (timestamp) => {
    const [{ partitions }] = await admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }] })
    return [partitions[0].offset, partitions[0].timestamp]
  }
  assert.deepEqual(await Promise.all([-1n, -3n, 2000n, 6000n].map(found)), [[3n, -1n], [1n, 5000n], [1n, 5000n], [-1n, -1n]])
  const cut = (offset) => admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset }] }] })
  assert.deepEqual(await cut(2n), [{ name: topic, partitions: [{ partition: 0, lowWatermark: 2n }] }])
  assert.equal((await found(-2n))[0], 2n)
  assert.deepEqual(await refused(() => cut(50n)), ['OFFSET_OUT_OF_RANGE'])
  const [{ results }] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0] }] })
  assert.ok(results[0].topics[0].partitions[0].partitionSize > 0n)
})

test('a group is described, its offsets are altered, and it is deleted', async (t) => {
  const [admin, topic, group] = [adminOf(t), await topicOf(t), fresh()]
  await producerOf(t).send({ messages: numbered(topic, 0, 10) })
  const member = await memberOf(t, group, [topic])
  await until('all messages', () => together(member).length === 10)
  const described = async () => (await admin.describeGroups({ groups: [group] })).get(group)
  const { state, protocolType, members } = await described()
  assert.deepEqual([state, protocolType, members.size], ['STABLE', 'consumer', 1])
  assert.deepEqual(await refused(() => admin.deleteGroups({ groups: [group] })), ['NON_EMPTY_GROUP'])
  await member.leave()
  await until('it is empty', async () => (await described()).state === 'EMPTY')
  await admin.alterConsumerGroupOffsets({ groupId: group, topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: 3n }] }] })
  const [{ topics }] = await admin.listConsumerGroupOffsets({ groups: [group] })
  assert.deepEqual([topics[0].name, topics[0].partitions[0].committedOffset], [topic, 3n])
  assert.equal((await admin.listGroups()).get(group).groupType, 'classic')
  await admin.deleteGroups({ groups: [group] })
  assert.deepEqual(await refused(() => admin.deleteGroups({ groups: [group] })), ['GROUP_ID_NOT_FOUND'])
})

test('quotas are kept, and ACLs are off without an authorizer', async (t) => {
  const [admin, match] = [adminOf(t), fresh()]
  const entities = [{ entityType: 'client-id', entityName: match }]
  await admin.alterClientQuotas({ entries: [{ entities, ops: [{ key: 'producer_byte_rate', value: 1e9, remove: false }] }] })
  const quotas = () => admin.describeClientQuotas({ components: [{ entityType: 'client-id', matchType: 0, match }] })
  await until('the quota', async () => (await quotas())[0]?.values[0].value === 1e9)
  const filter = { resourceType: 1, resourceName: null, resourcePatternType: 1, principal: null, host: null, operation: 1, permissionType: 1 }
  assert.deepEqual(await refused(() => admin.describeAcls({ filter })), ['SECURITY_DISABLED'])
})
