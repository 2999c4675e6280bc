import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { readSource } from '../../audit/collectors/source.ts'
import { audit } from '../../audit/index.ts'

describe('audit of how requests arrive', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'portico-requests-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const put = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const guardsOf = async (path: string) => (await readSource(root)).routes.find(it => it.path === path)?.guards
  const statusOf = async (id: 'C2' | 'B3') => (await audit({ source: root })).json.answers[id].status

  const nest = (guard: string) => `
    @Module({ providers: [{ provide: APP_GUARD, useClass: ${guard} }] }) export class AppModule {}
    @Controller('portal') export class PortalController { @Get('quote/:token') show() { return this.quotes.find() } }`

  it('takes the class behind APP_GUARD for the guard, and no rate limit for a sign-in', async () => {
    put('schema.sql', 'create table quotes (id int, client_id int, number text, total numeric, token text);')
    put('app.ts', `import { Controller } from '@nestjs/common' ${nest('ThrottlerGuard')}`)
    expect(await guardsOf('/portal/quote/:token')).to.deep.equal([])
    expect(await statusOf('C2')).to.equal('implemented')

    put('app.ts', `import { Controller } from '@nestjs/common' ${nest('SessionGuard')}`)
    expect(await guardsOf('/portal/quote/:token')).to.deep.equal(['SessionGuard'])
    expect(await statusOf('C2')).to.equal('missing')

    put(
      'app.ts',
      `import { Controller } from '@nestjs/common' ${nest('OwnGuard')}
      class OwnGuard extends ThrottlerGuard {}`,
    )
    expect(await guardsOf('/portal/quote/:token')).to.deep.equal([])
  })

  it('takes no middleware for a guard that only sets headers', async () => {
    put(
      'policy.js',
      `module.exports = { permissionsPolicy(req, res, next) { res.setHeader('Permissions-Policy', 'x'); next() },
      requireSession(req, res, next) { if (!req.user) return res.status(401).end(); next() } }`,
    )
    put(
      'app.js',
      `const { permissionsPolicy, requireSession } = require('./policy')
      const app = require('express')()
      app.use(permissionsPolicy)
      app.get('/quote/:token', (req, res) => res.end())
      app.get('/quotes', requireSession, (req, res) => res.end())`,
    )
    expect(await guardsOf('/quote/:token')).to.deep.equal([])
    expect(await guardsOf('/quotes')).to.deep.equal(['requireSession'])
  })

  it('reads controllers that register their own methods, and the session that these ask for', async () => {
    put(
      'modules/Invoice/Controller/Client.php',
      `<?php
    class Client {
      public function register($app) {
        $app->get('/invoice', 'get_invoices', [], static::class);
        $app->get('/invoice/:hash', 'get_invoice', [], static::class);
      }
      public function get_invoices($app) { $this->di['is_client_logged']; return $app->render('list'); }
      public function get_invoice($app, $hash) { return $app->render('one', ['hash' => $hash]); }
    }`,
    )
    expect(await guardsOf('/invoice')).to.deep.equal(['is_client_logged'])
    expect(await guardsOf('/invoice/:hash')).to.deep.equal([])
  })

  it('reads the classes that a dispatcher calls for each role', async () => {
    put(
      'Api.php',
      `<?php
    class Api {
      function register($app) { $app->get('/api/:role/:class/:method', 'call', [], static::class); }
      function call($app, $role) { return $this->dispatch($role); }
    }`,
    )
    const api = (method: string) => `<?php
    class Anything extends AbstractApi {
      public function ${method}($data) { return $this->getService()->find($data); }
      private function hidden() {}
    }`
    put('modules/Invoice/Api/Client.php', api('get_list'))
    put('modules/Invoice/Api/Admin.php', api('delete'))
    put('modules/Invoice/Api/Guest.php', api('payment'))
    const { routes } = await readSource(root)
    expect(routes.slice(1).map(it => [it.method, it.path, it.guards.join(), it.open ?? false])).to.have.deep.members([
      ['GET', '/api/client/invoice/get_list', 'client session', false],
      ['POST', '/api/admin/invoice/delete', 'admin session', false],
      ['POST', '/api/guest/invoice/payment', '', true],
    ])
  })

  const statuses = async () => {
    const { json } = await audit({ source: root })
    return Object.entries(json.answers).filter(([, it]) => it.status === 'not-examined')
  }
  const routes = (guard: string) =>
    ['orders', 'invoices', 'tickets', 'tasks']
      .map(it => `app.get('/${it}', ${guard}(req, res) => res.end())`)
      .join('\n')

  it('knows users of the staff’s table who belong to a client, by the handlers that ask whether they do', async () => {
    put(
      'schema.sql',
      `create table staff (id int primary key, login varchar(50), pass_crypted varchar(128), fk_customer int null);
      create table customer (id int primary key, name varchar(80));
      create table invoice (id int primary key, fk_customer int references customer (id), number text, total numeric);`,
    )
    const page = (lines: string) => `<?php
      require '../main.inc.php';
      ${lines}
      $sql = "select * from invoice where fk_customer = " . ((int) $customer_id);
      print $db->query($sql);`
    const limits = 'if ($user->customer_id > 0) $customer_id = $user->customer_id;'
    for (const name of ['list', 'card', 'contact']) put(`invoice/${name}.php`, page(limits))
    const { json } = await audit({ source: root })
    expect([json.answers.A1.status, json.answers.B3.status]).to.deep.equal(['implemented', 'implemented'])
    expect(json.answers.A2.evidence).to.include('staff.fk_customer')

    // A comparison with the record is what tenants are told apart by, and a comment is nothing.
    const compares = 'if ($user->customer_id == $row->customer_id) $ok = 1; //if ($user->customer_id > 0) exit;'
    for (const name of ['list', 'card', 'contact']) put(`invoice/${name}.php`, page(compares))
    expect((await audit({ source: root })).json.answers.B3.status).to.equal('missing')
  })

  it('calls nothing missing where a framework is used and no route of it could be read', async () => {
    put('package.json', '{ "dependencies": { "express": "^5.0.0" } }')
    put('src/auth.js', 'module.exports = makeGuards(config)')
    put('schema.sql', 'create table invoices (id int, client_id int, number text, total numeric);')
    const { json, report } = await audit({ source: root })
    expect(json.coverage).to.deep.equal([{ framework: 'Express', routes: 0, guarded: 0, handlers: 0 }])
    expect(json.answers.B3).to.include({ status: 'not-examined', confidence: 0, decision: 'look' })
    expect(json.answers.B3.evidence).to.deep.equal(['src/auth.js:1', 'package.json:1'])
    expect(json.answers.B1, 'the schema has no proposals').to.include({ status: 'missing' })
    expect(json.answers.D3.status).to.equal('missing')
    expect(report).to.include('Not decided: too little of the source').and.include('| Express | 0 | 0 | 0 |')
  })

  it('does not know what clients may see where hardly any guard was read', async () => {
    put('app.js', `const app = require('express')()\n${routes('')}`)
    expect((await statuses()).map(([id]) => id)).to.include.members(['A1', 'B6', 'B8', 'D4', 'F3'])
    expect((await statuses()).map(([id]) => id)).not.to.include.members(['C3'])

    put('app.js', `const app = require('express')()\n${routes('requireUser, ')}`)
    expect(await statuses()).to.be.empty
    expect((await audit({ source: root })).json.coverage).to.deep.equal([
      { framework: 'Express', routes: 4, guarded: 4, handlers: 4 },
    ])
  })

  it('counts the files of languages that it does not read', async () => {
    put('app.js', `const app = require('express')()\n${routes('requireUser, ')}`)
    for (const name of ['invoice', 'client']) put(`src/${name}.rs`, 'pub struct It;')
    const { json, notes } = await audit({ source: root })
    expect(notes).to.include('2 files of Rust were not read.')
    expect(json.answers.B6.status).to.equal('not-examined')
  })

  it('reads a router that is called as HTTP clients often are', async () => {
    put(
      'app.js',
      `const express = require('express')
      const api = express.Router()
      api.get('/invoices', (req, res) => res.end())
      const client = axios.create()
      client.get('/elsewhere', () => {})
      express().use('/api', requireUser, api)`,
    )
    expect((await readSource(root)).routes.map(it => it.path)).to.deep.equal(['/api/invoices'])
  })

  it('takes a backslash in a string for a letter, but for MySQL', async () => {
    const quotes = "create table quotes (id int, sep text default '\\', number text);"
    put('postgres.sql', `${quotes} create table lines (id int, note text default E'it\\'s', total numeric);`)
    put('mysql.sql', "create table `bills` (`id` int, `sep` text default 'it\\'s', `total` int) ENGINE=InnoDB;")
    const { tables } = await readSource(root)
    expect(tables.map(it => [it.name, it.columns.map(one => one.name).join()])).to.deep.equal([
      ['bills', 'id,sep,total'],
      ['quotes', 'id,sep,number'],
      ['lines', 'id,note,total'],
    ])
  })

  it('follows the prefix and the guards of a router of FastAPI to where it is included', async () => {
    put(
      'app/main.py',
      'app.include_router(\n  quotes.router, # (the old one\n  prefix="/api", dependencies=[Depends(signed_in)])',
    )
    put(
      'app/quotes.py',
      'router = APIRouter(prefix="/quotes")\n\n@router.get("/{id}")\ndef show(id: int):\n    return id\n',
    )
    expect(await guardsOf('/api/quotes/:id')).to.deep.equal(['signed_in'])
  })

  const openness = async () =>
    (await readSource(root)).routes.map(it => [it.path, it.guards.join(), it.open ?? false] as const)

  it('follows a guard under a path to what it does, and to the addresses that it lets through', async () => {
    put(
      'gate.js',
      `// Don't ask here:
      const open = ['/portal', '/health'] // the client's
      module.exports = { gate(req, res, next) {
        if (open.some(it => req.path.startsWith(it))) return next()
        if (req.method === 'GET' && /^\\/quotes\\/[^/]+$/.test(req.path)) return next()
        if (req.path === '/login') return next()
        if (!req.session.member) return res.status(401).end()
        next()
      }, sameOrigin(req, res, next) { if (req.headers.origin !== 'here') return res.status(403).end(); next() },
      tagged(req, res, next) { req.tag = 1; next() } }`,
    )
    put(
      'app.js',
      `const { gate, sameOrigin, tagged } = require('./gate')
      const app = require('express')()
      app.use('/api', sameOrigin, tagged, gate)
      for (const it of []) app.get(it)
      app.get('/api/portal/invoices/:token', (req, res) => res.end())
      app.get('/api/quotes/:id', (req, res) => res.end())
      app.get('/api/login', (req, res) => res.end())
      app.get('/api/invoices', (req, res) => res.end())
      app.get('/other', (req, res) => res.end())`,
    )
    expect(await openness()).to.deep.equal([
      ['/api/portal/invoices/:token', '', true],
      ['/api/quotes/:id', '', true],
      ['/api/login', '', true],
      ['/api/invoices', 'gate (session)', false],
      ['/other', '', false],
    ])
  })

  it("takes Nest's own marks of public routes by the metadata that they set", async () => {
    put(
      'anyone.ts',
      "import { SetMetadata } from '@nestjs/common'\nexport const Anyone = () => SetMetadata('isPublic', true)",
    )
    put(
      'app.ts',
      `import { Controller } from '@nestjs/common'
      @Module({ providers: [{ provide: APP_GUARD, useClass: OwnGuard }] }) export class AppModule {}
      @Controller('quotes') export class Quotes {
        @Anyone() @Get(':token') show() {}
        @SetMetadata(IS_PUBLIC_KEY, true) @Get('x') other() {}
        @Get() list() {}
      }`,
    )
    expect((await openness()).map(([path, , open]) => [path, open])).to.deep.equal([
      ['/quotes/:token', true],
      ['/quotes/x', true],
      ['/quotes', false],
    ])
  })

  it('takes the exceptions of a middleware of Laravel for open, and not those of its check of forms', async () => {
    put('app/Http/Kernel.php', "<?php class Kernel { protected $aliases = ['signed' => \\App\\SignedIn::class]; }")
    put(
      'app/Http/Middleware/SignedIn.php',
      `<?php class SignedIn { protected $except = ['portal/*', 'ping'];
      function handle($request, $next) { return $request->user() ? $next($request) : redirect('login'); } }`,
    )
    put('app/Http/Middleware/VerifyCsrfToken.php', "<?php class VerifyCsrfToken { protected $except = ['*']; }")
    put(
      'routes/web.php',
      `<?php Route::middleware('signed')->group(function () {
        Route::get('portal/quote/{token}', [Quotes::class, 'show']);
        Route::get('quotes', [Quotes::class, 'list']);
      });`,
    )
    expect(await openness()).to.deep.equal([
      ['/portal/quote/:token', '', true],
      ['/quotes', 'signed', false],
    ])
  })

  it("reads Django's middleware that asks everybody to sign in, and the list of those that it does not ask", async () => {
    put('shop/settings.py', "MIDDLEWARE = [\n  'shop.gate.AskEverybody',\n]\nLOGIN_EXEMPT_URLS = (\n  r'^share/',\n)\n")
    put(
      'shop/gate.py',
      'class AskEverybody:\n    def __call__(self, request):\n        if not request.user.is_authenticated:\n            return redirect("login")\n',
    )
    put('shop/urls.py', "urlpatterns = [path('share/<token>/', views.shared), path('quotes/', views.quotes)]\n")
    put('shop/views.py', 'def shared(request, token):\n    pass\n\ndef quotes(request):\n    pass\n')
    expect(await openness()).to.deep.equal([
      ['/share/:token', '', true],
      ['/quotes', 'AskEverybody', false],
    ])
  })

  it('counts a framework that was hardly read for the answers that could be there, and for no others', async () => {
    put('app.js', `const app = require('express')()\n${routes('requireUser, ')}`)
    put(
      'src/InvoiceController.java',
      `@RestController class InvoiceController {
      @GetMapping("/api/proposals") String list() { return "x"; } @GetMapping("/api/proposals/{id}") String one() { return "x"; } }`,
    )
    put('schema.sql', 'create table proposals (id int, client_id int, title text, total numeric);')
    const { answers } = (await audit({ source: root })).json
    expect(answers.B1.status).to.equal('not-examined')
    expect(answers.B1.evidence).to.deep.equal(['src/InvoiceController.java:2', 'app.js:1'])
    expect([answers.B6.status, answers.B8.status, answers.A1.status]).to.deep.equal(['missing', 'missing', 'missing'])
  })

  it('knows no answer where the language of most files has no route', async () => {
    put('app.js', `const app = require('express')()\n${routes('requireUser, ')}`)
    for (let at = 0; at < 25; at++) put(`lib/file${at}.php`, '<?php function f() {}')
    expect((await statuses()).map(([id]) => id)).to.include.members(['A1', 'B6', 'C2'])
  })

  it('is not slowed down by lines of slashes', async () => {
    put('app.js', `${'/'.repeat(5_000)}\nimport express from 'express'\nconst it = 'use server'`)
    expect((await readSource(root)).routes).to.be.empty
  })
})
