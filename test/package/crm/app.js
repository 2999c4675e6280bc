// The lines of README go in where it says README; the rest is a CRM that has never heard of Portico.
import express from 'express'
import session from 'express-session'

// README: what they import and make

const app = express()
app.engine('html', (_file, { name }, done) => done(null, `<h1>CRM of ${name}</h1>`))
app.set('view engine', 'html')
app.set('views', import.meta.dirname)
app.use(session({ secret: 'of the CRM', resave: false, saveUninitialized: false, name: 'crm.sid' }))
// README: above your body parsers
app.use(express.urlencoded({ extended: true }), express.json())
app.use((req, _res, next) => {
  req.user = req.session.user
  next()
})

app.get('/', (req, res) => res.render('home', { name: req.user?.name ?? 'nobody' }))
app.post('/login', (req, res) => {
  req.session.user = { id: 7, name: req.body.name, company: 'acme', isAdmin: true }
  res.redirect('/')
})
// README: the rest
app.use((_req, res) => res.status(404).send('The CRM knows nothing of this.'))
app.use((error, _req, res, _next) => res.status(500).send(`The CRM failed: ${error.message}`))

app.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'))
