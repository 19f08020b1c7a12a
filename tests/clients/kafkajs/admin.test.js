// Topics, configurations, offsets and groups through the admin client, and the errors of what cannot be.
const assert = require('node:assert/strict')
const test = require('node:test')
const { ConfigResourceTypes } = require('kafkajs')
const { adminOf, fresh, lacks, memberOf, producerOf, retried, topicOf, until } = require('./support')

const described = async (admin, topic) => {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0].partitions.map(({ partitionId }) => partitionId).sort()
}

const settings = async (admin, topic) => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  })
  return Object.fromEntries(resources[0].configEntries.map(({ configName, configValue }) => [configName, configValue]))
}

test('a topic is created, listed, described and deleted', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin, 3)
  assert.ok((await admin.listTopics()).includes(topic))
  assert.deepEqual(await described(admin, topic), [0, 1, 2])
  await admin.deleteTopics({ topics: [topic] })
  await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
  await assert.rejects(admin.deleteTopics({ topics: [topic] }), ({ cause }) => cause.type === 'UNKNOWN_TOPIC_OR_PARTITION')
})

test('what cannot be created has its error', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin)
  assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
  const refused = async (options) => {
    const error = await admin.createTopics({ topics: [options] }).then(() => null, (error) => error)
    return error?.errors?.map(({ type }) => type)
  }
  assert.deepEqual(await refused({ topic: 'no/good' }), ['INVALID_TOPIC_EXCEPTION'])
  assert.deepEqual(await refused({ topic: fresh(), numPartitions: 0 }), ['INVALID_PARTITIONS'])
  assert.deepEqual(await refused({ topic: fresh(), replicationFactor: 7 }), ['INVALID_REPLICATION_FACTOR'])
  const configEntries = [{ name: 'retention.ms', value: 'soon' }]
  assert.deepEqual(await refused({ topic: fresh(), configEntries }), ['INVALID_CONFIG'])
  const unmade = fresh()
  await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [{ topic: unmade }] })
  assert.ok(!(await admin.listTopics()).includes(unmade))
})

test('partitions are added, never taken away', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin, 2)
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  await until('five partitions', async () => (await described(admin, topic)).length === 5)
  await assert.rejects(admin.createPartitions({ topicPartitions: [{ topic, count: 1 }] }), { type: 'INVALID_PARTITIONS' })
})

test('settings are told and changed', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin, 1, [{ name: 'cleanup.policy', value: 'compact' }])
  assert.equal((await settings(admin, topic))['cleanup.policy'], 'compact')
  const configEntries = [{ name: 'retention.ms', value: '12345' }]
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }]
  await admin.alterConfigs({ validateOnly: true, resources })
  assert.equal((await settings(admin, topic))['retention.ms'], '604800000')
  await admin.alterConfigs({ validateOnly: false, resources })
  await until('the new setting', async () => (await settings(admin, topic))['retention.ms'] === '12345')
  // AlterConfigs replaces all: what is not named is the default again.
  assert.equal((await settings(admin, topic))['cleanup.policy'], 'delete')
})

test('the offsets of a topic: ends, by timestamp, after records were deleted', async (t) => {
  const admin = await adminOf(t)
  const producer = await producerOf(t)
  const topic = await topicOf(admin)
  for (const timestamp of ['1000', '3000', '5000']) await producer.send({ topic, messages: [{ value: 'v', timestamp }] })
  const ends = async () => (await admin.fetchTopicOffsets(topic)).map(({ low, high }) => [low, high])
  assert.deepEqual(await ends(), [['0', '3']])
  assert.deepEqual(await admin.fetchTopicOffsetsByTimestamp(topic, 2000), [{ partition: 0, offset: '1' }])
  assert.deepEqual(await admin.fetchTopicOffsetsByTimestamp(topic, 6000), [{ partition: 0, offset: '3' }])
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
  assert.deepEqual(await ends(), [['2', '3']])
})

test('the offsets of a group are set, reset and read', async (t) => {
  const admin = await adminOf(t)
  const producer = await producerOf(t)
  const topic = await topicOf(admin, 2)
  await producer.send({ topic, messages: [0, 0, 0, 1].map((partition) => ({ partition, value: 'v' })) })
  const groupId = fresh()
  const committed = async () => {
    const [{ partitions }] = await retried(() => admin.fetchOffsets({ groupId, topics: [topic] }))
    return partitions.sort((one, other) => one.partition - other.partition).map(({ offset }) => offset)
  }
  assert.deepEqual(await committed(), ['-1', '-1'])
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '2' }] })
  assert.deepEqual(await committed(), ['2', '-1'])
  // KafkaJS resets a group by a commit of the mark "latest" itself, -1.
  await admin.resetOffsets({ groupId, topic, earliest: false })
  assert.deepEqual(await committed(), ['-1', '-1'])
})

test('a group is listed and described while it is in use', async (t) => {
  const admin = await adminOf(t)
  const topic = await topicOf(admin, 2)
  const groupId = fresh()
  const member = await memberOf(t, groupId, topic)
  await until('the member has all', () => member.partitions.length === 2)
  const { groups } = await admin.listGroups()
  assert.deepEqual(groups.find((group) => group.groupId === groupId), { groupId, protocolType: 'consumer' })
  const { groups: [group] } = await admin.describeGroups([groupId])
  assert.deepEqual([group.state, group.protocol, group.protocolType], ['Stable', 'RoundRobinAssigner', 'consumer'])
  assert.deepEqual(group.members.map(({ clientId }) => clientId), ['brooklet-js'])
  const nobody = fresh()
  const { groups: [none] } = await admin.describeGroups([nobody])
  assert.deepEqual([none.state, none.members], ['Dead', []])
  const taken = admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '0' }] })
  await assert.rejects(taken, /must have no running instances/)
})

test('a group is deleted with its offsets', async (t) => {
  if (await lacks(t, 42, 'DeleteGroups')) return
  const admin = await adminOf(t)
  const topic = await topicOf(admin)
  const groupId = fresh()
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '2' }] })
  await admin.deleteGroups([groupId])
  assert.ok(!(await admin.listGroups()).groups.some((group) => group.groupId === groupId))
  await assert.rejects(admin.deleteGroups([groupId]), ({ groups: [{ error }] }) => error.type === 'GROUP_ID_NOT_FOUND')
})

test('the cluster describes itself', async (t) => {
  const admin = await adminOf(t)
  const { brokers: [broker], controller, clusterId } = await admin.describeCluster()
  assert.equal(`${broker.host}:${broker.port}`, process.env.BOOTSTRAP)
  assert.equal(controller, broker.nodeId)
  assert.equal(clusterId.length, 22)
})
