from sqlmodel import Field, SQLModel

class Customer(SQLModel, table=True):
    id: int = Field(primary_key=True)
    name: str = Field()
    email: str = Field()
    hashed_password: str = Field()

class Invoice(SQLModel, table=True):
    id: int = Field(primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    number: str = Field()
    total: float = Field()
    due_date: str = Field()
