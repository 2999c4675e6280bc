const express = require('express')
const { staffOnly } = require('./guards')
const app = express()
app.use(express.json())
app.use('/portal', require('./portal'))
app.use('/facturas', staffOnly, require('./facturas'))
app.use('/clientes', staffOnly, require('./facturas'))
module.exports = app
