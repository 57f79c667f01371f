export type { Estimate } from './estimator.js'
