export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

export type Database = {
  // Allows to automatically instantiate createClient with right options
  // instead of createClient<Database, { PostgrestVersion: 'XX' }>(URL, KEY)
  __InternalSupabase: {
    PostgrestVersion: "12.0.2"
  }
  public: {
    Tables: {
      backwards: {
        Row: {
          a: number | null
          b: number | null
        }
        Insert: {
          a?: number | null
          b?: number | null
        }
        Update: {
          a?: number | null
          b?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "backwards_a_b_fkey"
            columns: ["a", "b"]
            isOneToOne: false
            referencedRelation: "order_lines"
            referencedColumns: ["order", "product"]
          },
          {
            foreignKeyName: "backwards_other_way"
            columns: ["b", "a"]
            isOneToOne: true
            referencedRelation: "order_lines"
            referencedColumns: ["order", "product"]
          },
        ]
      }
      customers: {
        Row: {
          at: string | null
          attz: string | null
          big: number | null
          bits: unknown
          born: string | null
          code: string | null
          d: number | null
          data: Json | null
          email: string
          id: string
          ip: unknown
          money: unknown
          name: string | null
          notes: Json[] | null
          ok: boolean
          plain: string | null
          r: number | null
          raw: string | null
          scores: number[] | null
          settings: NonNullable<Json>
          since: string
          small: number | null
          tags: string[]
          wait: string | null
          x: unknown
          full_name: string | null
        }
        Insert: {
          at?: string | null
          attz?: string | null
          big?: number | null
          bits?: unknown
          born?: string | null
          code?: string | null
          d?: number | null
          data?: Json | null
          email: string
          id?: string
          ip?: unknown
          money?: unknown
          name?: string | null
          notes?: Json[] | null
          ok: boolean
          plain?: string | null
          r?: number | null
          raw?: string | null
          scores?: number[] | null
          settings: NonNullable<Json>
          since?: string
          small?: number | null
          tags?: string[]
          wait?: string | null
          x?: unknown
        }
        Update: {
          at?: string | null
          attz?: string | null
          big?: number | null
          bits?: unknown
          born?: string | null
          code?: string | null
          d?: number | null
          data?: Json | null
          email?: string
          id?: string
          ip?: unknown
          money?: unknown
          name?: string | null
          notes?: Json[] | null
          ok?: boolean
          plain?: string | null
          r?: number | null
          raw?: string | null
          scores?: number[] | null
          settings?: NonNullable<Json>
          since?: string
          small?: number | null
          tags?: string[]
          wait?: string | null
          x?: unknown
        }
        Relationships: []
      }
      no_columns: {
        Row: {}
        Insert: {}
        Update: {}
        Relationships: []
      }
      order_lines: {
        Row: {
          amount: number
          order: number
          product: number
        }
        Insert: {
          amount?: number
          order: number
          product: number
        }
        Update: {
          amount?: number
          order?: number
          product?: number
        }
        Relationships: [
          {
            foreignKeyName: "order_lines_order_fkey"
            columns: ["order"]
            isOneToOne: false
            referencedRelation: "open_orders"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "order_lines_order_fkey"
            columns: ["order"]
            isOneToOne: false
            referencedRelation: "orders"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "order_lines_product_fkey"
            columns: ["product"]
            isOneToOne: false
            referencedRelation: "cheap"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "order_lines_product_fkey"
            columns: ["product"]
            isOneToOne: false
            referencedRelation: "products"
            referencedColumns: ["id"]
          },
        ]
      }
      orders: {
        Row: {
          customer: string
          gift_for: string | null
          id: number
          kind: Database["public"]["Enums"]["single"] | null
          serial_number: number
          state: Database["public"]["Enums"]["order_state"]
          states: Database["public"]["Enums"]["order_state"][] | null
        }
        Insert: {
          customer: string
          gift_for?: string | null
          id?: number
          kind?: Database["public"]["Enums"]["single"] | null
          serial_number?: number
          state?: Database["public"]["Enums"]["order_state"]
          states?: Database["public"]["Enums"]["order_state"][] | null
        }
        Update: {
          customer?: string
          gift_for?: string | null
          id?: number
          kind?: Database["public"]["Enums"]["single"] | null
          serial_number?: number
          state?: Database["public"]["Enums"]["order_state"]
          states?: Database["public"]["Enums"]["order_state"][] | null
        }
        Relationships: [
          {
            foreignKeyName: "orders_customer_fkey"
            columns: ["customer"]
            isOneToOne: false
            referencedRelation: "customers"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "orders_customer_fkey"
            columns: ["customer"]
            isOneToOne: false
            referencedRelation: "open_orders"
            referencedColumns: ["customer"]
          },
          {
            foreignKeyName: "orders_gift_for_fkey"
            columns: ["gift_for"]
            isOneToOne: false
            referencedRelation: "customers"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "orders_gift_for_fkey"
            columns: ["gift_for"]
            isOneToOne: false
            referencedRelation: "open_orders"
            referencedColumns: ["customer"]
          },
        ]
      }
      products: {
        Row: {
          cents: number | null
          id: number
          price: number
          sku: string | null
        }
        Insert: {
          cents?: never
          id?: never
          price: number
          sku?: string | null
        }
        Update: {
          cents?: never
          id?: never
          price?: number
          sku?: string | null
        }
        Relationships: []
      }
      profiles: {
        Row: {
          customer: string
          nick: string | null
        }
        Insert: {
          customer: string
          nick?: string | null
        }
        Update: {
          customer?: string
          nick?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "profiles_customer_fkey"
            columns: ["customer"]
            isOneToOne: true
            referencedRelation: "customers"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "profiles_customer_fkey"
            columns: ["customer"]
            isOneToOne: true
            referencedRelation: "open_orders"
            referencedColumns: ["customer"]
          },
          {
            foreignKeyName: "profiles_nick_fkey"
            columns: ["nick"]
            isOneToOne: true
            referencedRelation: "customers"
            referencedColumns: ["email"]
          },
          {
            foreignKeyName: "profiles_nick_fkey"
            columns: ["nick"]
            isOneToOne: true
            referencedRelation: "open_orders"
            referencedColumns: ["email"]
          },
        ]
      }
      ratings: {
        Row: {
          order: number
          product: number
          stars: number | null
        }
        Insert: {
          order: number
          product: number
          stars?: number | null
        }
        Update: {
          order?: number
          product?: number
          stars?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "rated"
            columns: ["order", "product"]
            isOneToOne: true
            referencedRelation: "order_lines"
            referencedColumns: ["order", "product"]
          },
        ]
      }
    }
    Views: {
      cheap: {
        Row: {
          cents: number | null
          id: number | null
          price: number | null
          sku: string | null
        }
        Insert: {
          cents?: number | null
          id?: number | null
          price?: number | null
          sku?: string | null
        }
        Update: {
          cents?: number | null
          id?: number | null
          price?: number | null
          sku?: string | null
        }
        Relationships: []
      }
      open_orders: {
        Row: {
          customer: string | null
          email: string | null
          id: number | null
          state: Database["public"]["Enums"]["order_state"] | null
        }
        Relationships: []
      }
      totals: {
        Row: {
          order: number | null
          total: number | null
        }
        Relationships: [
          {
            foreignKeyName: "order_lines_order_fkey"
            columns: ["order"]
            isOneToOne: false
            referencedRelation: "open_orders"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "order_lines_order_fkey"
            columns: ["order"]
            isOneToOne: false
            referencedRelation: "orders"
            referencedColumns: ["id"]
          },
        ]
      }
    }
    Functions: {
      full_name: {
        Args: { "": Database["public"]["Tables"]["customers"]["Row"] }
        Returns: {
          error: true
        } & "the function public.full_name with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      of_customer: {
        Args: { since?: string; wanted: string }
        Returns: {
          customer: string
          gift_for: string | null
          id: number
          kind: Database["public"]["Enums"]["single"] | null
          serial_number: number
          state: Database["public"]["Enums"]["order_state"]
          states: Database["public"]["Enums"]["order_state"][] | null
        }[]
        SetofOptions: {
          from: "*"
          to: "orders"
          isOneToOne: false
          isSetofReturn: true
        }
      }
    }
    Enums: {
      order_state: "new" | "paid" | "sent back"
      single: "only"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] &
        DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] &
        DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
        Row: infer R
      }
      ? R
      : never
    : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Insert: infer I
      }
      ? I
      : never
    : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends (DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never) = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
        Update: infer U
      }
      ? U
      : never
    : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends (DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never) = never,
> = DefaultSchemaEnumNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends (PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never) = never,
> = PublicCompositeTypeNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never

export const Constants = {
  public: {
    Enums: {
      order_state: ["new", "paid", "sent back"],
      single: ["only"],
    },
  },
} as const
