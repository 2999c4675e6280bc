const express = require('express')
const app = express()
const api = express.Router()
api.get('/client/list', list)
api.get('/invoice/read/:id', list)
app.use('/api', isValidAdminToken, api)
function isValidAdminToken(req, res, next) { return req.admin ? next() : res.status(401).end() }
function list(req, res) { res.json([]) }
