const router = require('express').Router()
const db = require('./db')
router.get('/', async (req, res) => res.json(await db('facturas').where({ empresa_id: req.session.usuario.empresa_id })))
router.post('/:id/pago', async (req, res) => res.json(await db('pagos').insert(req.body)))
module.exports = router
