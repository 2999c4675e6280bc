module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('orders', {
      id: { type: Sequelize.INTEGER },
      customer_id: { type: Sequelize.INTEGER, references: { model: 'customers', key: 'id' } },
      total: { type: Sequelize.DECIMAL },
      date: { type: Sequelize.DATE },
    })
    await queryInterface.addColumn('orders', 'number', { type: Sequelize.STRING })
  },
  async down(queryInterface) { await queryInterface.dropTable('orders') },
}
