const db = require('./db')
exports.staffOnly = (req, res, next) => (req.session.usuario ? next() : res.redirect('/login'))
exports.portalAuth = async (req, res, next) => {
  const sesion = await db('portal_sessions').where({ token: req.cookies.portal }).first()
  if (!sesion) return res.status(401).end()
  req.contacto = await db('contactos').where({ id: sesion.contacto_id }).first()
  req.clienteId = req.contacto.cliente_id
  next()
}
