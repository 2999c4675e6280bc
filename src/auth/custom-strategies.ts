import type { Strategy } from 'passport'
import type { SignInStrategy } from './sign-in-strategy.ts'

/** The strategy's name in our Passport instance; it cannot clash with our own strategies. */
export const strategyName = ({ name }: SignInStrategy) => `with ${name}` as const

/** The CRM's strategies. An exception, also a later one, is reported as the strategy's error. */
export const customStrategies = (its: SignInStrategy[]) =>
  Object.fromEntries(its.map(it => [strategyName(it), guarded(it.strategy)]))

const guarded = (strategy: SignInStrategy['strategy']): Strategy =>
  Object.assign(Object.create(strategy), {
    async authenticate(this: { error(error: unknown): void }, req: unknown, options: unknown) {
      try {
        await strategy.authenticate.call(this, req, options)
      } catch (error) {
        this.error(error)
      }
    },
  })
