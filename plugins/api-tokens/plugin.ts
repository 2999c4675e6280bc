import { section } from '../../src/plugin/plugin.ts'
import { tokenRoutes } from './routes.ts'

/** Tokens that people make for programs of their own. The API itself takes them, and those of a sign-in, without it. */
export default section({
  name: 'api-tokens',
  title: 'API access',
  icon: 'key',
  order: 940,
  activity: {
    'account.token-made': 'made the token {name} for a program',
    'account.token-ended': 'ended the token {name} of a program',
  },
  stepUps: { 'account.tokens': { label: 'Create an API token', level: 'verification' } },
  slots: { 'account-end': { view: 'api-tokens/card' } },
  account: { path: 'tokens', routes: tokenRoutes },
})
