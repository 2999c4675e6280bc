const router = require('express').Router()
const Stripe = require('stripe')
const db = require('./db')
const { portalAuth } = require('./guards')
const stripe = new Stripe(process.env.STRIPE_KEY)

router.post('/login', async (req, res) => {
  const contacto = await db('contactos').where({ email: req.body.email, portal_enabled: true }).first()
  if (!contacto || !(await check(req.body.password, contacto.portal_password_hash))) return res.status(401).end()
  await db('portal_sessions').insert({ token: random(), contacto_id: contacto.id })
  res.redirect(303, '/portal')
})
router.use(portalAuth)
router.get('/presupuestos', async (req, res) => res.json(await db('presupuestos').where({ cliente_id: req.clienteId })))
router.post('/presupuestos/:id/aceptar', async (req, res) => {
  await db('presupuestos').where({ id: req.params.id, cliente_id: req.clienteId }).update({ estado: 'aceptado' })
  res.redirect(303, '/portal/presupuestos')
})
router.get('/facturas/:id', async (req, res) => res.json(await db('facturas').where({ id: req.params.id, cliente_id: req.clienteId }).first()))
router.post('/facturas/:id/pagar', async (req, res) => {
  const sesion = await stripe.checkout.sessions.create({ metadata: { factura: req.params.id } })
  res.redirect(303, sesion.url)
})
router.post('/mensajes', async (req, res) => res.json(await db('mensajes').insert({ cliente_id: req.clienteId, mensaje: req.body.mensaje })))
module.exports = router
