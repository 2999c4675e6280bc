import { adapter } from './portal-adapter.js'

export default {
  ownerUrl: process.env.DATABASE_URL,
  url: process.env.PORTAL_DATABASE_URL,
  crm: adapter,
  address: `http://127.0.0.1:${process.env.PORT}/portal`,
}
