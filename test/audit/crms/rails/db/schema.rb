# This file is auto-generated from the current state of the database.
ActiveRecord::Schema[8.0].define(version: 2024_01_01_000000) do
  create_table "users", force: :cascade do |t|
    t.string "email", null: false
    t.string "encrypted_password", null: false
  end
  create_table "customers", force: :cascade do |t|
    t.string "name"
    t.references "user"
  end
  create_table "invoices", force: :cascade do |t|
    t.references "customer"
    t.string "number"
    t.decimal "total", precision: 10, scale: 2
    t.date "due_on"
    t.string "share_token"
    t.datetime "viewed_at"
  end
  create_table "invoice_items", force: :cascade do |t|
    t.references "invoice"
    t.integer "quantity"
    t.decimal "unit_price"
  end
end
