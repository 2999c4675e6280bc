from sqlalchemy import Column, ForeignKey, Integer, Numeric, String, Date

class User(UserMixin, Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    password_hash = Column(String)

class Client(Base):
    __tablename__ = "clients"
    id = Column(Integer, primary_key=True)
    name = Column(String)

class Proposal(Base):
    __tablename__ = "proposals"
    id = Column(Integer, primary_key=True)
    client_id = Column(Integer, ForeignKey("clients.id"))
    number = Column(String)
    total = Column(Numeric)
    date = Column(Date)
