exports.up = async knex => {
  await knex.schema.alterTable('contactos', t => { t.string('portal_password_hash'); t.boolean('portal_enabled') })
  await knex.schema.createTable('portal_sessions', t => { t.string('token'); t.integer('contacto_id').references('contactos.id'); t.timestamp('expires_at') })
}
