import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import type { Knex } from 'knex'
import passport from 'passport'
import { Strategy } from 'passport-local'
import { hashPassword, passwordFits } from './password.ts'

export type Staff = {
  id: number
  name: string
  email: string
  isAdmin: boolean
  workspace: { id: number; slug: string; name: string; colour: string; currency: string; timeZone: string }
}

const nobody = hashPassword('nobody has this one')

passport.use(
  new Strategy({ usernameField: 'email', passReqToCallback: true }, async (request, email, password, done) => {
    try {
      const database: Knex = request.app.locals.database
      const row = await database('staff')
        .whereRaw('lower(email) = lower(?)', [email.trim()])
        .first('id', 'password_hash')
      const fits = await passwordFits(password, row?.password_hash ?? (await nobody))
      done(null, row && fits ? { id: row.id } : false)
    } catch (error) {
      done(error)
    }
  }),
)

passport.serializeUser((user, done) => done(null, (user as Staff).id))

passport.deserializeUser(async (request: Request, id: number, done: (error: unknown, user?: Staff | false) => void) => {
  try {
    done(null, await findStaff(request.app.locals.database, id))
  } catch (error) {
    done(error)
  }
})

export function signedIn(request: Request, response: Response, next: NextFunction) {
  if (!request.user) return response.redirect(303, '/login')
  response.locals.staff = request.user
  response.locals.section = request.baseUrl
  response.set('Cache-Control', 'no-store')
  next()
}

export function signInPages(): Router {
  const pages = express.Router()
  pages.get('/login', (request, response) => {
    if (request.user) return response.redirect(303, '/')
    response.render('login', { email: '', wrong: false })
  })
  pages.post('/login', (request, response, next) => {
    passport.authenticate('local', (error: unknown, user: Express.User | false) => {
      if (error) return next(error)
      if (!user) return response.status(422).render('login', { email: String(request.body?.email ?? ''), wrong: true })
      request.logIn(user, problem => (problem ? next(problem) : response.redirect(303, '/')))
    })(request, response, next)
  })
  pages.post('/logout', (request, response, next) => {
    request.logout(problem => {
      if (problem) return next(problem)
      request.session.destroy(failure => {
        if (failure) return next(failure)
        response.clearCookie('crm.sid').redirect(303, '/login')
      })
    })
  })
  return pages
}

async function findStaff(database: Knex, id: number): Promise<Staff | false> {
  const row = await database('staff as s')
    .join('workspaces as w', 'w.id', 's.workspace_id')
    .where('s.id', id)
    .first('s.id', 's.full_name', 's.email', 's.is_admin', {
      workspace_id: 'w.id',
      slug: 'w.slug',
      name: 'w.name',
      colour: 'w.colour',
      currency: 'w.currency',
      time_zone: 'w.time_zone',
    })
  if (!row) return false
  return {
    id: row.id,
    name: row.full_name,
    email: row.email,
    isAdmin: row.is_admin,
    workspace: {
      id: row.workspace_id,
      slug: row.slug,
      name: row.name,
      colour: row.colour,
      currency: row.currency,
      timeZone: row.time_zone,
    },
  }
}
