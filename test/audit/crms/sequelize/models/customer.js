module.exports = (sequelize, DataTypes) => sequelize.define('Customer', { name: DataTypes.STRING, email: DataTypes.STRING }, { tableName: 'customers' })
