import { kafkaFeatures } from './kafka-features.ts'
import { logContract } from '../contract/log.ts'

const features = kafkaFeatures('kafkajs')
logContract(features)
