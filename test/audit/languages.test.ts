import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { readSource } from '../../audit/collectors/source.ts'
import { audit } from '../../audit/index.ts'

describe('audit of servers in Java, Kotlin, C#, Go and Elixir', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'portico-languages-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const put = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  /** Each route as `METHOD /path [guards]`, those that are open with an exclamation mark. */
  const routes = async () =>
    (await readSource(root)).routes.map(it => `${it.method} ${it.path} [${it.guards.join()}]${it.open ? '!' : ''}`)
  const columns = async () =>
    (await readSource(root)).tables.map(
      it => `${it.name}: ${it.columns.map(one => one.name + (one.references ? `>${one.references}` : '')).join()}`,
    )
  const statuses = async (...ids: ('A2' | 'B2' | 'B4' | 'C2' | 'C4' | 'D1' | 'D3' | 'D4')[]) => {
    const { answers } = (await audit({ source: root })).json
    return ids.map(it => answers[it].status)
  }

  const chain = `
    class Security {
      SecurityFilterChain chain(HttpSecurity http) throws Exception {
        return http.authorizeHttpRequests(it -> it
          .requestMatchers("/share/**").permitAll()
          .requestMatchers(HttpMethod.POST, "/portal/login").permitAll()
          .requestMatchers("/portal/**").hasRole("CUSTOMER")
          .anyRequest().authenticated()).build();
      }
    }`

  it('reads controllers of Spring under a filter chain, and entities of JPA', async () => {
    put('src/main/java/crm/Security.java', chain)
    put(
      'src/main/java/crm/QuoteController.java',
      `@RestController
      @RequestMapping({ Paths.PORTAL + "/quotes" })
      public class QuoteController {
        @Autowired private QuoteService quotes;

        @GetMapping
        public List<Quote> list(Authentication authentication) { return quotes.of(currentUser().getCustomerId()); }

        @Operation(summary = "Accepts; for good")
        @PostMapping(value = "/{id}/accept")
        public Quote accept(@PathVariable("id") Long id) {
          if (id == null) { throw new NotFound(); }
          return quotes.save(id, Status.ACCEPTED, currentUser().getCustomerId());
        }
      }`,
    )
    put('src/main/java/crm/Paths.java', 'interface Paths { String PORTAL = "/portal"; }')
    put(
      'src/main/java/crm/StaffController.java',
      `@Controller
      class StaffController {
        @RequestMapping(path = "/share/{token}", method = RequestMethod.GET) String share(@PathVariable String token) { return "quote"; }
        @PreAuthorize("hasAuthority('QUOTE_READ')") @GetMapping("/quotes") String quotes() { return "quotes"; }
        @GetMapping("/health") @PermitAll String health() { return "ok"; }
        @PostMapping("/portal/login") String login(String password) { return session(password); }
      }`,
    )
    put(
      'src/main/java/crm/Quote.java',
      `@Entity @Table(name = "quotes")
      public class Quote extends Base {
        private String number; // its number
        private BigDecimal total;
        @ManyToOne @JoinColumn(name = "customer_id") private Customer customer;
        @OneToMany(mappedBy = "quote") private List<Line> lines;
        private transient String cached;
        @Enumerated(EnumType.STRING) private Status status;
      }`,
    )
    put(
      'src/main/java/crm/Base.java',
      '@MappedSuperclass public class Base { @Id private Long id; private Instant createdAt; }',
    )
    put(
      'src/main/java/crm/Customer.java',
      '@Entity public class Customer extends Base { private String name; private String passwordHash; }',
    )
    expect(await routes()).to.have.members([
      'GET /portal/quotes [role CUSTOMER]',
      'POST /portal/quotes/:id/accept [role CUSTOMER]',
      'GET /share/:token []!',
      'GET /quotes [permission QUOTE_READ,authenticated]',
      'GET /health []!',
      'POST /portal/login []!',
    ])
    expect(await columns()).to.have.members([
      'quotes: id,created_at,number,total,customer_id>customer,status',
      'customer: id,created_at,name,password_hash',
    ])
    expect(await statuses('B2', 'B4', 'D1', 'D4')).to.deep.equal([
      'implemented',
      'implemented',
      'implemented',
      'implemented',
    ])
  })

  it('reads resources of JAX-RS, interceptors, and data classes of Kotlin', async () => {
    put(
      'src/Web.java',
      `class Web implements WebMvcConfigurer {
        public void addInterceptors(InterceptorRegistry registry) {
          registry.addInterceptor(new LoginInterceptor()).addPathPatterns("/**").excludePathPatterns("/open/**");
        }
      }`,
    )
    put(
      'src/Bills.java',
      '@Path("/bills") public class Bills { @GET @Path("/{id}") public Bill one(@PathParam("id") String id) { return find(id); } }',
    )
    put(
      'src/Open.kt',
      '@RestController\nclass Open(private val bills: Bills) {\n  @GetMapping("/open/bill/{key}")\n  fun bill(@PathVariable key: String) = bills.find(key)\n}\n',
    )
    put(
      'src/Bill.kt',
      '@Entity\n@Table(name = "bills")\ndata class Bill(\n  @Id val id: Long,\n  val total: BigDecimal,\n  val note: String? = null,\n) {}\n',
    )
    expect(await routes()).to.have.members(['GET /bills/:id [LoginInterceptor]', 'GET /open/bill/:key []!'])
    expect(await columns()).to.deep.equal(['bills: id,total,note'])
  })

  it('reads controllers, pages and minimal APIs of ASP.NET, and the sets of EF Core', async () => {
    put(
      'Controllers/InvoicesController.cs',
      `[Authorize(Roles = "Admin")]
      public class StaffBase : ControllerBase { }
      [ApiController, Route("api/[controller]")]
      public class InvoicesController : StaffBase
      {
        [HttpGet("{id:int}")]
        public async Task<ActionResult<Invoice>> Get(int id) => await _db.Invoices.FindAsync(id);
        [AllowAnonymous]
        [HttpPost("/share/{token}/accept")]
        public IActionResult Accept(string token) { return Ok(Save(token)); }
        private object Save(string token) { return token; }
      }
      [Area("Portal"), Authorize(Policy = "CustomerOnly")]
      public class HomeController : Controller { public IActionResult Index() { return View(); } public IActionResult Quotes() { return View(); } }`,
    )
    put(
      'Pages/Client/Bills.cshtml.cs',
      'public class Bills : PageModel { public void OnGet() { } public IActionResult OnPostPay(int id) { return Page(); } }',
    )
    put(
      'Program.cs',
      `var api = app.MapGroup("/minimal").RequireAuthorization("Client");
      api.MapGet("/quotes/{id}", (int id) => Results.Ok(id));
      app.MapGet("/ping", () => "ok").AllowAnonymous();`,
    )
    put(
      'Data.cs',
      'public class Db : DbContext { public DbSet<Invoice> Invoices { get; set; } public DbSet<Customer> Customers { get; set; } }',
    )
    put(
      'Models.cs',
      'public class Invoice { public int Id { get; set; } public decimal Total { get; set; } public int CustomerId { get; set; } public Customer Customer { get; set; } }\npublic class Customer { public int Id { get; set; } public string? Name { get; set; } }',
    )
    expect(await routes()).to.have.members([
      'GET /api/Invoices/:id [permission Admin]',
      'POST /share/:token/accept []!',
      'ANY /Portal/Home [Authorize CustomerOnly]',
      'ANY /Portal/Home/Quotes [Authorize CustomerOnly]',
      'GET /Client/Bills []',
      'POST /Client/Bills []',
      'GET /minimal/quotes/:id [Authorize Client]',
      'GET /ping []!',
    ])
    expect(await columns()).to.deep.equal(['Invoices: Id,Total,CustomerId>Customers', 'Customers: Id,Name'])
  })

  it('follows groups and middleware of Go across functions, whichever router', async () => {
    put(
      'main.go',
      `package main
func main() {
	r := gin.Default()
	r.Use(gin.Recovery(), requestLogger)
	api := r.Group("/api")
	api.GET("/share/:token", shared)
	portal := api.Group("/portal", OnlyThem())
	handlers.RegisterPortal(portal)
	staff := api.Group("/staff")
	staff.Use(RequireAdmin)
	{
		staff.GET("/quotes", func(c *gin.Context) { c.JSON(200, "it's") })
	}
	http.HandleFunc("GET /health", health)
}
func OnlyThem() gin.HandlerFunc {
	return func(c *gin.Context) { if c.GetString("customer_id") == "" { c.AbortWithStatus(401) } }
}
func requestLogger(c *gin.Context) { c.Next() }
func shared(c *gin.Context) { c.JSON(200, find(c.Param("token"))) }
`,
    )
    put(
      'handlers/portal.go',
      `package handlers
type Portal struct{ db *DB }
func RegisterPortal(rg *gin.RouterGroup) {
	h := &Portal{}
	rg.POST("/quotes/:id/accept", h.Accept)
}
func (h *Portal) Accept(c *gin.Context) { h.db.Save(c.Param("id"), c.GetString("customer_id")) }
`,
    )
    put(
      'chi/routes.go',
      `package chi
func Router() http.Handler {
	r := chi.NewRouter()
	r.Route("/clients", func(r chi.Router) {
		r.Use(auth.Required)
		r.Get("/{id}", show)
		r.With(auth.Admin).Delete("/{id}", remove)
	})
	r.Mount("/bills", Bills())
	return r
}
func Bills() chi.Router {
	b := chi.NewRouter()
	b.Get("/", list)
	return b
}
`,
    )
    put(
      'gorilla/routes.go',
      `package gorilla
func (c *Invoices) Register(r *mux.Router) {
	guards := []mux.MiddlewareFunc{
		middleware.RequireLogin(),
	}
	s := r.PathPrefix(c.basePath).Subrouter()
	s.Use(guards...)
	s.HandleFunc("/{id:[0-9]+}", c.Show).Methods(http.MethodPut)
}
func New() *Invoices { return &Invoices{basePath: "/invoices"} }
func (c *Invoices) Show(w http.ResponseWriter, r *http.Request) { render(w) }
`,
    )
    expect(await routes()).to.have.members([
      'GET /api/share/:token []',
      'POST /api/portal/quotes/:id/accept [OnlyThem (client session)]',
      'GET /api/staff/quotes [RequireAdmin]',
      'GET /health []',
      'GET /clients/:id [auth.Required]',
      'DELETE /clients/:id [auth.Required,auth.Admin]',
      'GET /bills []',
      'PUT /invoices/:id [middleware.RequireLogin]',
    ])
  })

  it('reads structs with tags, and leaves out the part of a migration that takes it back', async () => {
    put(
      'models.go',
      'package models\ntype Invoice struct {\n\tgorm.Model\n\tNumber string `gorm:"size:20"`\n\tCustomerID uint `json:"customer"`\n\tTotal float64 `gorm:"column:grand_total"`\n\tLines []Line `gorm:"foreignKey:InvoiceID"`\n}\nfunc (Invoice) TableName() string { return "crm_invoices" }\n',
    )
    put(
      'migrations/1.sql',
      '-- +goose Up\ncreate table quotes (id int, number text);\n-- +goose Down\ndrop table quotes;\n',
    )
    put('migrations/2.down.sql', 'drop table quotes;')
    expect(await columns()).to.deep.equal(['quotes: id,number', 'crm_invoices: id,number,customer_id,grand_total'])
  })

  it('reads routers of Phoenix with their pipelines, live views, and the migrations of Ecto', async () => {
    put(
      'lib/shop_web/router.ex',
      `defmodule ShopWeb.Router do
  use ShopWeb, :router

  pipeline :browser do
    plug :accepts, ["html"]
    plug :fetch_current_user
    plug :protect_from_forgery
  end

  pipeline :customers do
    plug ShopWeb.Plugs.RequireCustomer
  end

  scope "/", ShopWeb do
    pipe_through :browser
    get "/share/:token", QuoteController, :shared

    scope "/portal" do
      pipe_through [:customers]
      resources "/invoices", InvoiceController, only: [:index, :show] do
        post "/pay", InvoiceController, :pay
      end

      live "/quotes", QuoteLive.Index, :index
    end
  end

  scope "/admin", ShopWeb.Admin, as: :admin do
    pipe_through [:browser, :require_authenticated_user]

    resources "/quotes",
              QuoteController,
              except: [:index, :new, :edit, :create, :update, :delete]
  end
end
`,
    )
    put(
      'lib/shop_web/plugs.ex',
      'defmodule ShopWeb.Plugs.RequireCustomer do\n  def call(conn, _) do\n    conn |> redirect(to: "/login") |> halt()\n  end\nend\n',
    )
    put(
      'lib/shop_web/invoices.ex',
      'defmodule ShopWeb.InvoiceController do\n  use ShopWeb, :controller\n\n  def index(conn, _) do\n    render(conn, list(conn.assigns.current_customer))\n  end\n\n  defp list(customer) do\n    Invoices.of(customer)\n  end\nend\n',
    )
    put(
      'priv/repo/migrations/1_invoices.exs',
      'defmodule Shop.Repo.Migrations.Invoices do\n  use Ecto.Migration\n  def change do\n    create table(:invoices) do\n      add :number, :string, null: false\n      add :customer_id, references(:customers, on_delete: :nothing)\n      timestamps()\n    end\n  end\nend\n',
    )
    put(
      'lib/shop/invoice.ex',
      'defmodule Shop.Invoice do\n  use Ecto.Schema\n  schema "invoices" do\n    field :status, Ecto.Enum, values: [:open, :paid]\n    belongs_to :customer, Shop.Customer\n    field :label, :string, virtual: true\n  end\nend\n',
    )
    expect(await routes()).to.have.members([
      'GET /share/:token []',
      'GET /portal/invoices [ShopWeb.Plugs.RequireCustomer]',
      'GET /portal/invoices/:id [ShopWeb.Plugs.RequireCustomer]',
      'POST /portal/invoices/:invoice_id/pay [ShopWeb.Plugs.RequireCustomer]',
      'GET /portal/quotes [ShopWeb.Plugs.RequireCustomer]',
      'GET /admin/quotes/:id [require_authenticated_user]',
    ])
    expect(await columns()).to.deep.equal(['invoices: id,number,customer_id>customers,inserted_at,updated_at,status'])
    expect((await readSource(root)).routes.find(it => it.path === '/portal/invoices')?.body).to.include(
      'Invoices.of(customer)',
    )
  })
})
